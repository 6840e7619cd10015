"""What one parameter is: its kind, default, bounds and help, and whether a value fits them."""

from tuner.parameters.fields import setting as setting
from tuner.parameters.fields import setting_as as setting_as
from tuner.parameters.fields import settings_of as settings_of
from tuner.parameters.info import MOST_LAYERS as MOST_LAYERS
from tuner.parameters.info import Kind as Kind
from tuner.parameters.info import ParameterInfo as ParameterInfo
from tuner.parameters.info import Scalar as Scalar
from tuner.parameters.info import Value as Value
from tuner.parameters.values import checked as checked
from tuner.parameters.values import fit_scalar as fit_scalar
from tuner.parameters.values import fit_value as fit_value
from tuner.parameters.values import mixture as mixture
from tuner.parameters.values import own_kind as own_kind
from tuner.parameters.values import plain as plain
from tuner.parameters.values import show as show
from tuner.parameters.values import word as word
