"""What the pages of the bench say: modern Chinese prose, recombined at random and mixed with Hanzi drawn from GB 2312 level 1."""

import re

import numpy as np

SENTENCES = tuple(
    """
本办法适用于全市各级行政机关、事业单位以及受其委托管理公共事务的组织。
档案室应当在收到移交清单之日起十个工作日内完成核对，并在登记簿上注明经办人和日期。
凡需要长期保存的文件，一律使用不褪色的墨水书写，不得使用圆珠笔或铅笔。
申请人对处理结果有异议的，可以自收到通知之日起六十日内向上一级主管部门提出复核。
会议决定由水务局牵头，会同财政、规划、环保等部门，在年底以前拿出河道整治的具体方案。
今年第一季度，全区共受理群众来信1286件，办结1203件，办结率为93.5%。
为了方便住得远的居民，社区在东门和西门各设了一个服务点，每天8:30至17:00开放。
施工单位应当按照图纸施工，不得擅自修改设计；确有必要修改的，须经原设计单位书面同意。
经费使用情况每半年公布一次，接受职工代表大会和审计部门的监督。
附件一式三份，甲乙双方各执一份，另一份交公证处备案。
数据在写入磁盘之前先进入缓冲区，等到缓冲区装满或者超过规定的时间才真正落盘。
如果两个进程同时修改同一条记录，后提交的一方会收到冲突的提示，需要重新读取再试。
系统启动后会自动检查配置文件config.yaml，发现错误时把原因写进日志，并以状态码2退出。
该芯片的工作电压为3.3V，静态电流不超过15μA，可以在零下40度到85度之间正常工作。
温度传感器每隔5秒采样一次，取最近12次的平均值作为显示结果，这样读数不会跳来跳去。
把压缩包解开以后，先运行make test，确认全部通过再安装。
更多说明请看https://docs.example.org/guide/install.html，那里有各个平台的步骤。
服务器默认监听8080端口，需要对外开放时请在前面加一层反向代理并启用TLS。
图像先缩小到原来的四分之一，再做一次形态学闭运算，就能把纸张的明暗估计出来。
实验重复了三遍，误差都在0.2毫米以内，说明这种固定方式是可靠的。
有问题请写信到support@example.com，工作日一般当天回复。
桥梁的主跨为168米，采用预应力混凝土连续刚构，两岸引桥各长420米。
水泥、砂、石子按1∶2∶4的比例拌和，加水量根据骨料的含水率适当调整。
焊缝表面不得有裂纹、气孔和夹渣，外观检查合格后再做超声波探伤。
发动机冷却液应每两年更换一次，加注时要等水温降下来，以免烫伤。
种子在播种前用温水浸泡一昼夜，捞出晾干后拌入草木灰，可以减少病害。
这一带的土壤偏酸，适合种茶，近年来也有人试种蓝莓，收成不错。
入秋以后雨水减少，空气干燥，护林员每天要沿着防火线走上二十多里山路。
老街两旁的骑楼建于上世纪二十年代，楼下是店铺，楼上住人，下雨天走路不用打伞。
他把祖父留下的账本一页一页拍下来，按年份整理好，捐给了县里的图书馆。
船到码头时天已经黑了，岸上的灯一盏接一盏亮起来，像是有人在打着招呼。
她说话不快，但每一句都想好了才说，所以听的人很少打断她。
院子里的枣树是搬来那年种下的，如今已经高过屋檐，每年八月都要请邻居来打枣。
孩子们把听来的故事编成短剧，在礼堂里演了三个晚上，座位次次都不够。
古籍修复最费时间的不是补洞，而是把粘在一起的书叶一张一张揭开。
活字要按笔画和部首分格存放，排字工人闭着眼睛也能摸到常用的字。
这部辞典共收词目五万六千余条，初稿由二十七位编者分头写成，前后用了九年。
据《县志》记载，乾隆三十年曾大修城墙，周长九里十三步，开六门。
所谓“行距”，是指相邻两行基线之间的距离，通常取字号的一倍半到两倍。
校对的时候，甲读乙看，遇到数字和人名要念两遍，这叫作“对红”。
温室气体的主要来源是燃烧煤炭、石油和天然气，其次是农业与土地利用的改变。
人的耳朵能够听到的频率大约在20Hz到20kHz之间，年纪越大，上限越低。
光在真空中的速度约为每秒三十万公里，从太阳到地球要走八分多钟。
样本取自五个城市的十二所学校，共2340人，其中女生占51.7%。
表中数据均为四舍五入后的结果，合计数与分项之和可能略有出入。
参加培训的人员须携带身份证原件，在签到处领取资料袋和胸牌。
食堂从下月起改用统一的电子卡结算，旧的纸质饭票在本月30日以前可以退换。
列车晚点超过一个小时的，旅客可以凭车票到窗口办理退票，不收手续费。
本产品保修期为十二个月，因使用不当造成的损坏不在保修范围之内。
请勿在潮湿或者有腐蚀性气体的地方使用本仪器，长期不用时应取出电池。
委员会认为，现有的评价标准偏重数量而忽视质量，应当逐步加以改变。
合同自双方签字盖章之日起生效，有效期三年，期满前一个月内可以协商续签。
这种算法的好处是不需要事先知道类别的数目，缺点是当数据超过10万条时明显变慢。
本文第三节讨论边界情况，第四节给出实验结果，最后指出尚未解决的问题。
版本2.4修正了在macOS上无法打开大文件的错误，并把内存占用降低了大约30%。
使用者可以通过环境变量HTTP_PROXY指定代理，也可以在命令行里用参数--proxy覆盖它。
""".strip().splitlines()
)
PLAIN = tuple(s.translate(str.maketrans("“”", "「」")) for s in SENTENCES if not re.search("[0-9A-Za-z]", s))
"""The sentences without digits and letters, their quotation marks those of vertical text."""
HEADINGS = (
    "总则", "适用范围", "组织机构与职责", "资料的收集和整理", "工作程序", "经费与保障", "监督检查", "附则", "问题的提出", "实验方法",
    "结果与讨论", "结论", "安装与配置", "常见问题", "数据格式说明", "系统结构", "误差分析", "历史沿革", "地理环境", "人口与民族",
)  # fmt: skip
TITLES = (
    "关于加强公共档案管理工作的通知", "城市河道整治工程年度报告", "温度传感器使用说明书", "旧书修复技术初探", "山区茶园土壤调查",
    "图像处理系统设计与实现", "社区服务中心开放时间的公告", "混凝土桥梁施工技术要点", "方言词汇调查手册", "分布式存储系统的一致性研究",
)  # fmt: skip
LABELS = (
    "姓名", "性别", "出生日期", "籍贯", "学历", "职称", "单位", "地址", "电话", "邮编", "编号", "规格", "数量", "单价", "金额", "备注",
    "地区", "面积", "人口", "产量", "比例", "增长率", "日期", "负责人", "材料", "温度", "压力", "湿度", "型号", "功率",
)  # fmt: skip
LATIN = (
    "The committee met on Tuesday and approved the annual budget without changes.",
    "All measurements were repeated three times under the same conditions.",
    "See chapter 4 for a list of supported file formats and their limits.",
    "Each record holds a name, a date and a short description of the item.",
    "Water levels rose by 12 cm between March and June, then fell slowly.",
)
WORDS = ("TCP/IP", "Python", "GB 18030", "ISO 9001", "Wi-Fi", "USB 3.0", "Linux", "PDF/A", "A4", "JSON", "CPU", "Excel", "Unicode", "pH")
COMMON = "".join(bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
"""The 3,755 Hanzi of GB 2312 level 1."""


class Prose:
    """Texts drawn at random.

    Args:
        rng: source of all randomness.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, texts: tuple[str, ...]) -> str:
        """One of the texts."""
        return texts[self.rng.integers(len(texts))]

    def hanzi(self, count: int) -> str:
        """So many common Hanzi."""
        return "".join(COMMON[index] for index in self.rng.integers(len(COMMON), size=count))

    def sentence(self) -> str:
        """A sentence; in one of four all Hanzi are replaced by random ones."""
        sentence = self.pick(SENTENCES)
        if self.rng.random() < 0.25:
            sentence = "".join(map(self._randomised, sentence))
        return sentence

    def paragraph(self, least: int = 60, most: int = 260) -> str:
        """Sentences of together at least so many characters, drawn between the bounds."""
        length, text = self.rng.integers(least, most), ""
        while len(text) < length:
            text += self.sentence()
        return text

    def plain_paragraph(self, least: int, most: int) -> str:
        """A paragraph of sentences of Hanzi alone, with the quotation marks of vertical text."""
        length, text = self.rng.integers(least, most), ""
        while len(text) < length:
            text += self.pick(PLAIN) if self.rng.random() < 0.75 else "".join(map(self._randomised, self.pick(PLAIN)))
        return text

    def _randomised(self, char: str) -> str:
        return self.hanzi(1) if "一" <= char <= "鿿" else char

    def clause(self, least: int, most: int) -> str:
        """A piece of text without punctuation, of a length within the bounds."""
        length = int(self.rng.integers(least, most + 1))
        text = ""
        while len(text) < length:
            text += "".join(char for char in self.sentence() if "一" <= char <= "鿿")
        return text[:length]

    def number(self) -> str:
        """A figure as in a table."""
        form = self.rng.integers(4)
        value = self.rng.uniform(1, 1000)
        return (f"{value:.2f}", f"{value * 37:,.0f}", f"{value / 10:.1f}%", f"{value:.0f}")[form]
