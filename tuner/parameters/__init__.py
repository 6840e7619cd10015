"""What one parameter is: its kind, default, bounds and help, and whether a value fits them."""

from tuner.parameters.info import ParameterInfo as ParameterInfo
from tuner.parameters.info import Scalar as Scalar
from tuner.parameters.info import Value as Value
from tuner.parameters.values import checked as checked
from tuner.parameters.values import fit_scalar as fit_scalar
from tuner.parameters.values import fit_value as fit_value
