"""What the user should know of logs that were read: each remark is a line of `RunTable.notes`."""

from lcode.readers.remarks.between import between_remarks
from lcode.readers.remarks.classes import class_remarks
from lcode.readers.remarks.gaps import gap_remarks
from lcode.readers.remarks.names import name_remarks
from lcode.readers.remarks.stand_ins import stand_in_remarks
from lcode.readers.remarks.unscored import unscored_remarks

__all__ = ["between_remarks", "class_remarks", "gap_remarks", "name_remarks", "stand_in_remarks", "unscored_remarks"]
