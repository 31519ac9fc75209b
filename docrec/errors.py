"""Exit codes, and the one tree of exceptions that docrec raises."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit statuses; the numbers are OCRmyPDF's where the meaning is the same."""

    OK = 0
    BAD_ARGUMENTS = 1
    INPUT_FILE = 2
    MISSING_DEPENDENCY = 3
    FILE_ACCESS = 5
    ENCRYPTED = 8
    INVALID_CONFIG = 9
    PARTLY_FAILED = 10
    OTHER = 15
    INTERRUPTED = 130


class DocrecError(Exception):
    """Base of every failure docrec raises itself; the message names the rule, what was received and what to do."""

    exit_code = ExitCode.OTHER


class OptionError(DocrecError):
    """An option or argument is malformed, out of range or at odds with another."""

    exit_code = ExitCode.BAD_ARGUMENTS


class InputFileError(DocrecError):
    """The input is no document that can be read: not there, a folder, of a wrong type, damaged, empty or without pages."""

    exit_code = ExitCode.INPUT_FILE


class FileAccessError(DocrecError):
    """A file cannot be opened, read or written."""

    exit_code = ExitCode.FILE_ACCESS


class EncryptedError(DocrecError):
    """The PDF is encrypted and no password, or a wrong one, was given."""

    exit_code = ExitCode.ENCRYPTED


class CharsetError(DocrecError):
    """A dictionary file is malformed, or two alphabets that must agree do not."""

    exit_code = ExitCode.INVALID_CONFIG


class BundleError(DocrecError):
    """A model folder is absent, incomplete, damaged or of another format version."""

    exit_code = ExitCode.INVALID_CONFIG


class CheckpointError(DocrecError):
    """A checkpoint of CRNN_Tensorflow is absent, damaged, or of another network or dictionary than is expected."""

    exit_code = ExitCode.INVALID_CONFIG


class MissingDependencyError(DocrecError):
    """An optional package that this operation needs is not installed."""

    exit_code = ExitCode.MISSING_DEPENDENCY


class ExportError(DocrecError):
    """An exported model does not read as the original does."""


class TrainingDataError(DocrecError):
    """Training text or fonts are missing or unusable."""

    exit_code = ExitCode.INPUT_FILE


class TrainingFailedError(DocrecError):
    """Training came to no result, as its numbers ran away."""


class SampleError(TrainingDataError):
    """One labelled picture, or one record, cannot be used.

    Args:
        name: which one.
        fault: what is wrong, in words that are the same for all that have it, for they are counted by it.
        detail: what was received, if there is more to say.
    """

    def __init__(self, name: str, fault: str, detail: str = "") -> None:
        super().__init__(name, fault, detail)
        self.fault = fault

    def __str__(self) -> str:
        return ": ".join(filter(None, self.args))


class WorkerError(DocrecError):
    """A process that worked for this one was ended from outside."""
