"""Spellings and codes that public sources use for countries and that no library knows (data for ``core.countries``)."""

from __future__ import annotations

from core.languages import marked as _

UNKNOWN = "UNK"
"""Citizenship not recorded."""
OTHER = "OTH"
"""Citizenships that the publisher lumps together."""
STATELESS = "XXA"
"""Stateless persons (the code of ISO 7501 for travel documents, also used by UNHCR)."""
SUB_SAHARAN = "XSS"
"""Frontex's "Unspecified sub-Saharan nationals"."""
KOSOVO = "XKX"
"""Kosovo (UNSCR 1244): no ISO 3166 code exists; the World Bank's and the EU's user-assigned one."""
ANTILLES = "ANT"
"""Netherlands Antilles, dissolved in 2010: still in old series."""

BESIDE_ISO: dict[str, str] = {
    UNKNOWN: _("Unknown"),
    OTHER: _("Other citizenships"),
    STATELESS: _("Stateless"),
    SUB_SAHARAN: _("Sub-Saharan Africa, unspecified"),
    KOSOVO: _("Kosovo"),
    ANTILLES: _("Netherlands Antilles"),
}

ALIASES: dict[str, tuple[str, ...]] = {
    # Frontex, FRAN data: sheets Detections_of_IBC and Dictionary
    "COG": ("Congo", "Congo (Brazzaville)", "Congo Republic", "Republic of Congo"),
    "COD": (
        "Congo (Kinshasa)", "Congo (D.R.)", "Congo, DRC", "Congo (Democratic Republic)", "DR Congo", "DR Congo (Zaire)",
        "Dem. Rep. Congo", "Dem. Rep. of the Congo", "Democratic Republic of Congo", "DRC",
    ),
    "CPV": ("Cape Verde",),
    "KOR": ("Korea", "South Korea", "Rep. of Korea"),
    "PRK": ("North Korea", "Korea (D.P.R)", "Dem. People's Rep. of Korea"),
    "LAO": ("Laos", "Lao People's Dem. Rep."),
    "PCN": ("Pitcairn Islands", "Pitcairn Islands (British)"),
    "PSE": ("Palestine", "State of Palestine", "Occupied Palestinian Territories", "Palestinian Territories"),
    "SHN": ("Saint Helena",),
    "SWZ": ("Swaziland", "Kingdom of eSwatini (Swaziland)"),
    "TUR": ("Turkey", "Türkiye"),
    "VAT": ("Holy See (Vatican City State)", "Holy See"),
    # Uppsala Conflict Data Program, in its own names and in Natural Earth's
    "ATG": ("Antigua & Barbuda",),
    "BIH": ("Bosnia and Herz.", "Bosnia-Herzegovina"),
    "CAF": ("Central African Rep.",),
    "CIV": ("Ivory Coast", "Cote d'Ivoire", "Costa d'Avorio"),
    "DOM": ("Dominican Rep.",),
    "GMB": ("The Gambia", "Gambia, The"),
    "KHM": ("Cambodia (Kampuchea)",),
    "KNA": ("St. Kitts and Nevis",),
    "LCA": ("St. Lucia",),
    "MHL": ("Marshall Is.",),
    "MKD": ("Macedonia", "FYR Macedonia", "Former Yugoslav Republic of Macedonia"),
    "MMR": ("Myanmar (Burma)", "Burma"),
    "RUS": ("Russia", "Russia (Soviet Union)"),
    "SLB": ("Solomon Is.",),
    "SSD": ("S. Sudan",),
    "TLS": ("East Timor", "Timor Leste"),
    "VCT": ("St. Vincent and the Grenadines",),
    "VNM": ("Vietnam (North Vietnam)",),
    "YEM": ("Yemen (North Yemen)",),
    "ZWE": ("Zimbabwe (Rhodesia)",),
    "SRB": ("Serbia (Yugoslavia)", "Serbia and Kosovo: S/RES/1244 (1999)"),
    # Home Office
    "ASM": ("American Samoa (United States)",),
    "BHS": ("Bahamas, The",),
    "CYP": ("Cyprus (Northern part of)",),
    "GBR": ("UK", "British overseas citizens", "Great Britain"),
    "GUF": ("French Guiana (French)",),
    "REU": ("Reunion (French)",),
    "SGS": ("South Georgia and the South Sandwich Islands (British)",),
    "VGB": ("Virgin Islands (British)",),
    # Eurostat: its two codes that differ from ISO 3166, and labels of its citizenship list
    "GRC": ("EL",),
    "CHN": ("CN_X_HK", "China including Hong Kong", "China (including Hong Kong)"),
    "DEU": ("DE_TOT", "Germany (until 1990 former territory of the FRG)", "Germany (including former GDR)"),
    KOSOVO: (
        "XK", "XKX", "KOS", "Kosovo*", "Kosovo (under United Nations Security Council Resolution 1244/99)",
        "Kosovo (UNSCR 1244/99)", "Serbia and Kosovo (UNSCR 1244)",
    ),
    STATELESS: ("STLS", "STL", "Stateless", "Apolide", "Apolidi"),
    UNKNOWN: (
        "UNK", "XXX", "Unknown", "Not specified", "Not stated", "Not currently recorded", "Various/unknown",
        # Frontex: "third-country national" without more; a citizenship that was not recorded
        "Third-country",
        "Refugee",
    ),
    SUB_SAHARAN: ("XSS", "OOS", "Unspecified sub-Saharan nationals"),
    OTHER: (
        "OTH", "OOO", "Other", "Others", "Other and unknown", "altre", "altri", "Altre nazionalità",
        # Frontex: a region, not a citizenship; too coarse for any country
        "Horn of Africa",
        # Eurostat: recognised non-citizens, that is former Soviet citizens of Latvia and Estonia
        "RNC", "Recognised non-citizens", "Tibetan", "TIB",
    ),
    ANTILLES: ("Netherlands Antilles",),
    # UNHCR
    "FRO": ("Faeroe Islands",),
    "BES": ("Bonaire, Saint Eustatius and Saba",),
    "BOL": ("Bolivia (Plurinational State of)",),
    "HKG": ("China, Hong Kong SAR",),
    "IRN": ("Iran (Islamic Rep. of)",),
    "MAC": ("China, Macao SAR",),
    "MAF": ("Saint-Martin (French part)",),
    "MDA": ("Rep. of Moldova",),
    "NLD": ("Netherlands (Kingdom of the)",),
    "SPM": ("Saint-Pierre-et-Miquelon",),
    "SYR": ("Syrian Arab Rep.",),
    "TZA": ("United Rep. of Tanzania",),
    "VEN": ("Venezuela (Bolivarian Republic of)",),
    "USA": ("United States of America",),
    "ARE": ("UAE",),
}  # fmt: skip

_UNHCR_PAIRS = """
ALG=DZA ANG=AGO ANT=ATG ARE=EGY AUL=AUS AUS=AUT BAH=BHR BAR=BRB BER=BMU BHU=BTN BKF=BFA BOT=BWA BRU=BRN BSN=BIH
BUL=BGR BVI=VGB BZE=BLZ CAM=KHM CAR=CAF CAY=CYM CHD=TCD CHI=CHN COB=COG COI=COM COS=CRI CUR=CUW CVI=CPV DEN=DNK
DJB=DJI EGU=GNQ ERT=ERI FGU=GUF FIJ=FJI FNC=NCL FPO=PYF GAM=GMB GAZ=PSE GFR=DEU GRE=GRC GRN=GRD GUA=GTM GUI=GIN
HAI=HTI HON=HND ICE=ISL ICO=CIV INS=IDN IRE=IRL KOS=XKX KRN=PRK KUW=KWT LEB=LBN LES=LSO MAD=MDG MAR=MTQ MAU=MRT
MCD=MKD MLS=MYS MLW=MWI MOR=MAR MTA=MLT MTS=MUS MYA=MMR NEP=NPL NET=NLD NGR=NER NIG=NGA PAL=PSE PAR=PRY PHI=PHL
POR=PRT PUE=PRI ROM=ROU RSA=ZAF SAL=SLV SEY=SYC SIN=SGP SMA=SMR SOL=SLB SPA=ESP SRV=VNM STA=XXA STK=KNA SUD=SDN
SWA=SWZ SWI=CHE TAN=TZA TCI=TCA TIB=OTH TMP=TLS TOG=TGO TRT=TTO UAE=ARE UKN=UNK URU=URY VAN=VUT WES=WSM WSH=ESH
ZAM=ZMB ZIM=ZWE CRB=OTH XXA=XXA XXX=UNK VAR=UNK
"""
UNHCR_OWN: dict[str, str] = dict(pair.split("=") for pair in _UNHCR_PAIRS.split())
"""UNHCR's own country codes where they differ from ISO 3166 alpha-3. Several are another country's ISO code (its
``AUS`` is Austria, its ``MAR`` Martinique), so they are read only where a caller says that codes are UNHCR's."""

SHORT_NAMES = {
    "CIV": _("Côte d'Ivoire"),
    "COD": _("DR Congo"),
    "COG": _("Congo"),
    "HKG": _("Hong Kong"),
    "MAC": _("Macao"),
    "MMR": _("Myanmar"),
    "PSE": _("Palestine"),
}
"""Names for the screen where the CLDR's are unusual."""
