//! The table of all finding codes. CONTRIBUTING.md lists the steps to add one.

use std::fmt;

use super::evidence::Evidence;
use super::finding::{Finding, Severity};
use super::rules::{
    Rules, categories, config, data, end, layers, masks, options, outputs, progress, rates, rows, shards,
    task, training, validation,
};

/// A built-in rule.
type Check = fn(&Evidence) -> Option<Finding>;

/// The skill above which a run disproves a finding, because no run with the fault reaches it.
type Disproved = Option<f64>;
/// For faults that no network learns with.
const MOST: Disproved = Some(0.9);
/// For a missing non-linearity or unsuitable steps, with which a network may learn a part.
const HALF: Disproved = Some(0.5);
const NEVER: Disproved = None;

/// The address of [`pages`] in the documentation of this version.
const PAGES: &str = concat!("https://docs.rs/cornu/", env!("CARGO_PKG_VERSION"), "/cornu/diagnosis/pages");

/// A row of the table: the properties of a code.
struct Row {
    name: &'static str,
    page: &'static str,
    severity: Severity,
    rule: Option<Check>,
    disproved_above: Disproved,
    causes: &'static [Code],
}

/// Turns each row into a variant of [`Code`], an entry of [`TABLE`] and an item of [`pages`].
macro_rules! codes {
    ($($code:ident $severity:ident $rule:expr, $disproved:ident [$($cause:ident)*])*) => {
        /// A finding code of the crate, in the order in which reports list root causes of the same severity.
        ///
        /// # Example
        /// ```
        /// use cornu::diagnosis::{Code, Severity};
        /// assert_eq!(Code::N0202.as_str(), "N0202");
        /// assert_eq!(Code::N0202.severity(), Severity::Error);
        /// assert!(Code::N0202.page().starts_with("# N0202"));
        /// // Data come before symptoms.
        /// assert!(Code::N0202 < Code::N0401);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(
                #[doc = concat!("See [`pages::", stringify!($code), "`].")]
                $code,
            )*
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &[Code] = &[$(Code::$code),*];
        }

        const TABLE: &[Row] = &[$(
            Row {
                name: stringify!($code),
                page: include_str!(concat!("pages/", stringify!($code), ".md")),
                severity: Severity::$severity,
                rule: $rule,
                disproved_above: $disproved,
                causes: &[$(Code::$cause),*],
            }
        ),*];

        /// The page of each finding: its meaning, its causes, its fix, and when it is harmless, with a program that
        /// raises it and the corrected program. [`explain`](super::explain) returns the same text at run time, and
        /// `cargo run --example explain N0202` prints it.
        pub mod pages {
            #![doc = ""]
            #![doc = include_str!("symptoms.md")]
            #![doc = ""]
            $(#![doc = concat!("[", stringify!($code), "]: crate::diagnosis::pages::", stringify!($code))])*

            $(
                #[doc = include_str!(concat!("pages/", stringify!($code), ".md"))]
                #[doc = ""]
                #[doc = concat!("---\nHighest severity: ", stringify!($severity), ", see [`Severity`](crate::diagnosis::Severity).")]
                #[doc = "The other pages, [by symptom](crate::diagnosis::pages#by-symptom)."]
                #[allow(missing_debug_implementations)] // it has no values
                pub enum $code {}
            )*
        }
    };
}

// The order follows the way from the data to the loss, with symptoms last. Columns: the code, its highest severity, its
// rule (none if `check` or `investigate` raises it), the skill above which a run disproves it, and its possible causes.
codes! {
    // The data.
    N0201 Error None, NEVER []
    N0208 Error Some(rows::constant_features), NEVER []
    N0209 Warning Some(shards::another_scale), MOST []
    N0214 Warning Some(rows::extreme_values), MOST []
    N0202 Error Some(data::input_scale), MOST [N0214 N0123]
    N0203 Warning Some(data::target_scale), MOST []
    N0215 Warning Some(rows::targets_at_bound), NEVER []

    // How the network and the run are set up.
    N0105 Error Some(outputs::label_format), NEVER []
    N0106 Error Some(outputs::width_and_classes), NEVER []
    N0205 Warning Some(data::order_and_split), NEVER []
    N0211 Warning Some(validation::other_inputs), NEVER []
    N0212 Warning Some(rows::copied_target), NEVER []
    N0213 Warning Some(options::row_weights), NEVER []
    N0119 Error Some(options::frozen_layers), NEVER []
    N0118 Warning Some(options::optimizer_options), NEVER []
    N0116 Error Some(config::batch_statistics), NEVER []
    N0117 Warning Some(config::single_step), NEVER []
    N0122 Warning Some(masks::unused_mask), HALF []
    N0121 Warning Some(masks::unmasked_padding), HALF [N0122]
    N0123 Warning Some(categories::indices_as_numbers), NEVER []
    N0101 Error Some(outputs::softmax_over_one_unit), NEVER []
    N0102 Error Some(outputs::loss_needs_other_output), NEVER []
    N0104 Error Some(outputs::target_outside_range), NEVER []
    N0103 Error Some(outputs::activation_before_softmax), NEVER []
    N0107 Warning Some(task::loss_and_task), NEVER []
    N0110 Warning Some(config::unsuited_activation), MOST []
    N0109 Warning Some(config::linear_stack), HALF []
    N0111 Error Some(config::first_weights), MOST []
    N0114 Warning Some(config::heavy_dropout), MOST []
    N0112 Error Some(rates::learning_rate), HALF []
    N0409 Warning Some(progress::penalty), HALF [N0112]
    N0407 Warning Some(progress::step_size), MOST [N0123 N0112 N0114 N0209 N0202 N0203 N0111 N0409 N0214]
    N0113 Warning Some(config::few_steps), HALF []
    N0120 Warning Some(layers::lost_information), HALF [
        N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0110 N0111 N0112 N0113 N0114 N0116 N0118 N0119 N0202 N0203 N0209
        N0213 N0214 N0407 N0409
    ]

    // The limits that the data and the size of the network impose.
    N0204 Warning Some(data::label_balance), MOST []
    N0207 Warning Some(rows::contradictions), NEVER []
    N0210 Warning Some(shards::missing_class), NEVER []
    N0115 Warning Some(config::narrow_layer), NEVER []
    N0502 Warning Some(end::still_improving), NEVER [
        N0121 N0123 N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0110 N0111 N0112 N0113 N0114 N0115 N0116 N0118 N0119 N0202 N0203
        N0209 N0213 N0404 N0407 N0409 N0214
    ]

    // Symptoms.
    N0401 Error Some(training::not_finite), NEVER [
        N0201 N0209 N0214 N0202 N0203 N0102 N0104 N0105 N0110 N0111 N0112 N0118
    ]
    N0402 Error Some(training::diverging), MOST [
        N0123 N0209 N0214 N0202 N0203 N0111 N0112 N0118 N0102 N0105 N0110 N0407
    ]
    N0301 Warning Some(training::first_loss), MOST [N0123 N0101 N0209 N0202 N0203 N0111 N0102 N0103 N0104 N0105 N0214]
    N0302 Error Some(training::clipped), MOST [N0123 N0101 N0209 N0202 N0103 N0105 N0111 N0102 N0112 N0402 N0214]
    N0303 Error Some(training::no_gradient), HALF [
        N0121 N0123 N0101 N0102 N0202 N0203 N0103 N0111 N0104 N0110 N0112 N0114 N0116 N0118 N0119 N0208 N0402 N0404 N0409 N0120
        N0214
    ]
    N0405 Warning Some(training::saturated_units), MOST [N0123 N0209 N0202 N0111 N0112 N0214]
    N0404 Error Some(training::dead_units), MOST [
        N0123 N0202 N0203 N0103 N0104 N0110 N0111 N0112 N0115 N0116 N0118 N0402 N0409 N0120 N0214
    ]
    N0406 Warning Some(progress::vanishing_gradient), HALF [N0121 N0123 N0110 N0111 N0116 N0202 N0405 N0214]
    N0408 Error Some(progress::collapsed), HALF [
        N0121 N0123 N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0110 N0111 N0112 N0114 N0116 N0118 N0119 N0202 N0203 N0204 N0205
        N0207 N0208 N0209 N0210 N0213 N0115 N0404 N0407 N0409 N0120 N0214
    ]
    N0403 Error Some(training::constant_loss), HALF [
        N0121 N0123 N0101 N0102 N0103 N0104 N0105 N0106 N0110 N0111 N0112 N0114 N0115 N0116 N0118 N0119 N0202 N0203 N0204 N0209
        N0404 N0407 N0409 N0208 N0120 N0214
    ]
    // Measures of a run, which harm no training.
    N0108 Warning Some(task::accuracy_of_numbers), NEVER []
    N0206 Warning Some(rows::validation_trains), NEVER []
    N0504 Warning None, NEVER []
    N0501 Error Some(end::learned_nothing), NEVER [
        N0121 N0123 N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0109 N0110 N0111 N0112 N0113 N0114 N0116 N0117 N0118 N0119
        N0201 N0202 N0203 N0204 N0205 N0211 N0212 N0213 N0502 N0404 N0405 N0406 N0407 N0409 N0504 N0115 N0207
        N0208 N0209 N0210 N0120 N0214
    ]
    N0503 Warning Some(end::overfitting), NEVER [N0121 N0123 N0205 N0211 N0213 N0501]
    N0505 Warning Some(end::simpler_is_better), NEVER [
        N0121 N0123 N0101 N0102 N0103 N0104 N0105 N0106 N0107 N0110 N0111 N0112 N0113 N0114 N0115 N0116 N0117 N0118 N0119
        N0201 N0202 N0203 N0204 N0207 N0208 N0209 N0210 N0213 N0402 N0404 N0405 N0406 N0407 N0409 N0501 N0502 N0120 N0214
    ]
}

/// The first symptom. From this code on, a finding leads a report only if no other finding explains it.
const FIRST_SYMPTOM: Code = Code::N0401;

impl Code {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The code as text, such as `N0202`.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The highest severity of the finding.
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// The address of the page about the finding in the documentation.
    ///
    /// # Example
    /// ```
    /// use cornu::diagnosis::Code;
    /// assert!(Code::N0202.url().ends_with("/cornu/diagnosis/pages/enum.N0202.html"));
    /// ```
    pub fn url(self) -> String {
        format!("{PAGES}/enum.{self}.html")
    }

    /// The page about the finding, in Markdown.
    pub fn page(self) -> &'static str {
        self.row().page
    }

    /// Creates a finding with this code and its highest severity.
    pub(crate) fn finding(self, title: impl Into<String>) -> Finding {
        self.stamp(Finding::draft(title))
    }

    fn stamp(self, finding: Finding) -> Finding {
        Finding { code: self.as_str().into(), ..finding.at_most(self.severity()) }
    }

    /// The code with this text; `None` for a user's own code.
    pub(super) fn known(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// Whether a run of this skill disproves the finding.
    fn is_disproved_by(self, skill: f64) -> bool {
        self.row().disproved_above.is_some_and(|bound| skill > bound)
    }
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<Code> for String {
    fn eq(&self, code: &Code) -> bool {
        self == code.as_str()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Runs the built-in rules and the user's own, and drops the codes that the user allows.
pub(super) fn findings(evidence: &Evidence, rules: &Rules) -> Vec<Finding> {
    let stamped = |code: &Code| Some(code.stamp(code.row().rule?(evidence)?).measure(*code, evidence));
    let own = rules.own.iter().flat_map(|rule| rule.check(evidence));
    let all = Code::ALL.iter().filter_map(stamped).chain(own);
    all.filter(|finding| !rules.allowed.contains(&finding.code)).collect()
}

/// Whether `cause` may explain `effect`.
pub(super) fn explains(cause: &str, effect: &str) -> bool {
    Code::known(effect).is_some_and(|effect| effect.row().causes.iter().any(|code| code.as_str() == cause))
}

/// Whether a run of this skill disproves the finding.
pub(super) fn is_disproved(finding: &Finding, skill: f64) -> bool {
    Code::known(&finding.code).is_some_and(|code| code.is_disproved_by(skill))
}

/// Whether the finding is a symptom.
pub(super) fn is_symptom(code: &str) -> bool {
    rank(code) >= rank(FIRST_SYMPTOM.as_str())
}

/// The place of a code among the root causes. Users' own codes come right after the first symptom.
pub(super) fn rank(code: &str) -> usize {
    Code::known(code).map_or(2 * FIRST_SYMPTOM as usize + 1, |code| 2 * code as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The text of all source files below a folder, but for this one.
    fn sources(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, all);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("diagnosis/codes.rs")
            {
                *all += &fs::read_to_string(&path).unwrap();
            }
        }
    }

    #[test]
    fn every_row_of_the_table_is_complete() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut text = String::new();
        sources(&source, &mut text);
        text.retain(|letter| !letter.is_whitespace());
        assert_eq!(TABLE.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.page().starts_with(&format!("# {code}: ")), "{code}: the page starts with its code");
            let raised = [format!("///Raises{code}."), format!("Code::{code}.finding(")];
            let place = usize::from(code.row().rule.is_none());
            assert!(text.contains(&raised[place]), "{code}: nothing raises it");
            assert_eq!(Code::known(code.as_str()), Some(*code));
            let causes: HashSet<_> = code.row().causes.iter().collect();
            assert_eq!(causes.len(), code.row().causes.len(), "{code}: a cause is listed twice");
            assert!(!causes.contains(code), "{code}: explains itself");
        }
        let pages = fs::read_dir(source.join("diagnosis/pages")).unwrap().count();
        assert_eq!(pages, Code::ALL.len(), "a page without a row");
        let rules: Vec<usize> = TABLE.iter().filter_map(|row| row.rule).map(|rule| rule as usize).collect();
        assert_eq!(rules.iter().collect::<HashSet<_>>().len(), rules.len(), "a rule is in two rows");
    }

    /// Each entry of the index names a code, its highest severity and the title of its page.
    #[test]
    fn every_code_has_a_symptom() {
        let entries = include_str!("symptoms.md").lines().filter_map(|line| line.strip_prefix("- "));
        let mut missing: HashSet<Code> = Code::ALL.iter().copied().collect();
        for entry in entries {
            let code = entry.get(1..6).and_then(Code::known).unwrap_or_else(|| panic!("{entry}: no code"));
            let title = code.page().lines().next().and_then(|line| line.split_once(": ")).unwrap().1;
            assert_eq!(entry, format!("[{code}] {}: {title}", code.severity()));
            missing.remove(&code);
        }
        assert!(missing.is_empty(), "no symptom in symptoms.md leads to {missing:?}");
    }

    /// The documentation has the address that the manifest states, and an item for each page.
    #[test]
    fn addresses_of_pages_lead_to_items() {
        assert!(PAGES.starts_with("https://docs.rs/cornu/"));
        assert!(include_str!("../../Cargo.toml").contains("documentation = \"https://docs.rs/cornu\""));
        assert_eq!(std::any::type_name::<pages::N0202>(), "cornu::diagnosis::codes::pages::N0202");
        assert_eq!(Code::N0202.url(), format!("{PAGES}/enum.N0202.html"));
    }

    #[test]
    fn the_order_is_total() {
        let ranks: Vec<usize> = Code::ALL.iter().map(|code| rank(code.as_str())).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:?}");
        assert!(!ranks.contains(&rank("X0001")));
    }
}
