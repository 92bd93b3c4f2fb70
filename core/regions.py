"""Regions of origin: sub-regions of Africa and Asia as in the United Nations' M49, continents elsewhere.

Used to judge forecasts by groups of nationalities. A region says where a country lies and no more.
"""

from __future__ import annotations

from functools import cache

UNKNOWN = "Unknown or stateless"
"""Region of codes that are no country."""
_MEMBERS = {
    "Americas": (
        "ABW AIA ARG ATG BES BHS BLM BLZ BMU BOL BRA BRB BVT CAN CHL COL CRI CUB CUW CYM DMA DOM ECU FLK GLP "
        "GRD GRL GTM GUF GUY HND HTI JAM KNA LCA MAF MEX MSR MTQ NIC PAN PER PRI PRY SGS SLV SPM SUR SXM TCA "
        "TTO URY USA VCT VEN VGB VIR"
    ),
    "Central Asia": "KAZ KGZ TJK TKM UZB",
    "Eastern Africa": "ATF BDI COM DJI ERI ETH IOT KEN MDG MOZ MUS MWI MYT REU RWA SOM SSD SYC TZA UGA ZMB ZWE",
    "Eastern and South-eastern Asia": "BRN CHN HKG IDN JPN KHM KOR LAO MAC MMR MNG MYS PHL PRK SGP THA TLS TWN VNM",
    "Europe": (
        "ALA ALB AND AUT BEL BGR BIH BLR CHE CZE DEU DNK ESP EST FIN FRA FRO GBR GGY GIB GRC HRV HUN IMN IRL "
        "ISL ITA JEY LIE LTU LUX LVA MCO MDA MKD MLT MNE NLD NOR POL PRT ROU RUS SJM SMR SRB SVK SVN SWE UKR "
        "VAT XKX"
    ),
    "Middle Africa": "AGO CAF CMR COD COG GAB GNQ STP TCD",
    "Northern Africa": "DZA EGY ESH LBY MAR SDN TUN",
    "Oceania": (
        "ASM AUS CCK COK CXR FJI FSM GUM HMD KIR MHL MNP NCL NFK NIU NRU NZL PCN PLW PNG PYF SLB TKL TON TUV "
        "UMI VUT WLF WSM"
    ),
    "Southern Africa": "BWA LSO NAM SWZ ZAF",
    "Southern Asia": "AFG BGD BTN IND IRN LKA MDV NPL PAK",
    "Western Africa": "BEN BFA CIV CPV GHA GIN GMB GNB LBR MLI MRT NER NGA SEN SHN SLE TGO",
    "Western Asia": "ARE ARM AZE BHR CYP GEO IRQ ISR JOR KWT LBN OMN PSE QAT SAU SYR TUR YEM",
}
REGIONS: tuple[str, ...] = (*_MEMBERS, UNKNOWN)
"""Every region, by name."""


def region_of(alpha3: str) -> str:
    """The region of a country's code; :data:`UNKNOWN` for codes that are no country."""
    return _index().get(alpha3, UNKNOWN)


@cache
def _index() -> dict[str, str]:
    return {code: region for region, codes in _MEMBERS.items() for code in codes.split()}
