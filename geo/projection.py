"""One map projection: Lambert azimuthal equal-area, centred between the coasts, in kilometres.

Equal area keeps the weight of arrows and countries honest over the whole frame (Snyder, Map Projections: A Working
Manual, USGS 1987, p. 182).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

CENTRE_LATITUDE, CENTRE_LONGITUDE = 38, 10
MAP_CRS = CRS.from_proj4(
    f"+proj=laea +lat_0={CENTRE_LATITUDE} +lon_0={CENTRE_LONGITUDE} +datum=WGS84 +units=km +no_defs"
)


@lru_cache(maxsize=1)
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:4326", MAP_CRS, always_xy=True)


def project(points: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    """Bring (longitude, latitude) in degrees to (x, y) in kilometres.

    Returns:
        An array of shape ``(n, 2)``; x grows eastwards, y northwards, (0, 0) is 38° N 10° E.
    """
    degrees = np.asarray(list(points), dtype=np.float64).reshape(-1, 2)
    x, y = _transformer().transform(degrees[:, 0], degrees[:, 1])
    return np.column_stack([x, y])
