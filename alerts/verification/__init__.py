"""How often each rule was right at past origins, with what was known then: its record as alerts are issued."""
