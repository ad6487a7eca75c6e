//! Which finding explains which, and in what order roots are told: what lies earlier in the data's way comes first.

/// Data, then the configuration, the first weights, the size of a step, how much is learned; symptoms last.
const ORDER: [&str; 41] = [
    "N0201", "N0208", "N0209", "N0202", "N0203", "N0105", "N0106", "N0205", "N0101", "N0102", "N0104",
    "N0103", "N0107", "N0108", "N0110", "N0109", "N0111", "N0112", "N0407", "N0114", "N0409", "N0113",
    "N0204", "N0207", "N0210", "N0115", "N0502", "N0401", "N0402", "N0301", "N0302", "N0303", "N0405",
    "N0404", "N0406", "N0408", "N0403", "N0206", "N0503", "N0504", "N0501",
];

/// Each effect, and the causes that may lie behind it.
const CAUSES: [(&str, &[&str]); 14] = [
    ("N0301", &["N0209", "N0202", "N0203", "N0111", "N0102", "N0104"]),
    ("N0302", &["N0209", "N0202", "N0103", "N0111", "N0102", "N0112"]),
    (
        "N0303",
        &[
            "N0101", "N0102", "N0202", "N0203", "N0103", "N0111", "N0104", "N0110", "N0112", "N0114",
            "N0208", "N0404",
        ],
    ),
    ("N0401", &["N0201", "N0209", "N0202", "N0203", "N0102", "N0111", "N0112"]),
    ("N0402", &["N0209", "N0202", "N0203", "N0111", "N0112", "N0102", "N0407"]),
    (
        "N0403",
        &[
            "N0101", "N0102", "N0103", "N0104", "N0105", "N0111", "N0112", "N0202", "N0203", "N0204",
            "N0404", "N0208",
        ],
    ),
    ("N0404", &["N0202", "N0203", "N0103", "N0104", "N0111", "N0112", "N0115"]),
    ("N0405", &["N0209", "N0202", "N0111", "N0112"]),
    ("N0406", &["N0110", "N0111", "N0202", "N0405"]),
    ("N0407", &["N0112", "N0209", "N0202", "N0203", "N0111"]),
    (
        "N0408",
        &[
            "N0101", "N0102", "N0103", "N0104", "N0105", "N0107", "N0111", "N0112", "N0202", "N0203",
            "N0204", "N0205", "N0207", "N0208", "N0209", "N0210", "N0115", "N0404",
        ],
    ),
    ("N0409", &["N0112"]),
    ("N0502", &["N0115", "N0209", "N0112", "N0113", "N0202", "N0203", "N0407"]),
    (
        "N0501",
        &[
            "N0101", "N0102", "N0103", "N0104", "N0105", "N0106", "N0107", "N0108", "N0109", "N0110",
            "N0111", "N0112", "N0113", "N0114", "N0201", "N0202", "N0203", "N0204", "N0205", "N0502",
            "N0404", "N0405", "N0406", "N0407", "N0409", "N0504", "N0115", "N0207", "N0208", "N0209",
            "N0210",
        ],
    ),
];

/// Whether `cause` may be why `effect` was found.
pub(super) fn explains(cause: &str, effect: &str) -> bool {
    CAUSES.iter().any(|(known, causes)| *known == effect && causes.contains(&cause))
}

/// The first of the findings that are only what something else shows itself by.
const SYMPTOM: &str = "N0401";

/// Whether a finding is a symptom: it leads a report only where nothing was found that may be its cause.
pub(super) fn is_symptom(code: &str) -> bool {
    rank(code) >= rank(SYMPTOM)
}

/// The place of a code among the roots; codes from outside the crate come between causes and symptoms.
pub(super) fn rank(code: &str) -> usize {
    let symptoms = ORDER.iter().position(|known| *known == SYMPTOM).unwrap_or(ORDER.len());
    2 * ORDER.iter().position(|known| *known == code).unwrap_or(symptoms)
        + usize::from(!ORDER.contains(&code))
}
