"""Objects of a program that workers need: functions, scorers, samplers, pruners.

They are pickled (by cloudpickle) into a file named by the hash of its bytes, in a folder beside
the storage. A study holds that hash and a fingerprint of each object; nothing is unpickled but
where somebody said that the file is trusted.
"""

from tuner.code.failures import own_failures as own_failures
from tuner.code.file import FOLDER as FOLDER
from tuner.code.file import load as load
from tuner.code.file import save as save
from tuner.code.file import trusted_file as trusted_file
from tuner.code.fingerprint import fingerprint as fingerprint
from tuner.code.spec import CodePart as CodePart
from tuner.code.spec import CodeSpec as CodeSpec
from tuner.code.spec import python_version as python_version
