from parts.a import A
from parts.b import B
from parts.c.d import D
from parts.c.e import *

TOTAL = [A, B, D, E, "_HIDDEN" in globals()]
