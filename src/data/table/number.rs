//! How the numbers of a text are written: the decimal separator, and that of thousands.

use super::cell::TableCell;

/// The separators of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) struct NumberFormat {
    pub(in crate::data) decimal: u8,
    pub(in crate::data) thousands: Option<u8>,
}

impl Default for NumberFormat {
    fn default() -> Self {
        NumberFormat { decimal: b'.', thousands: None }
    }
}

impl NumberFormat {
    /// The number in a cell; `true` and `false` are 1 and 0.
    pub(super) fn number(self, cell: TableCell) -> Option<f64> {
        match cell {
            TableCell::Number(number) => Some(number),
            TableCell::Missing => None,
            TableCell::Text("true" | "True" | "TRUE") => Some(1.0),
            TableCell::Text("false" | "False" | "FALSE") => Some(0.0),
            TableCell::Text(text) => self.parse(text),
            #[cfg(feature = "parquet")]
            TableCell::Word(text) => NumberFormat::default().parse(text),
        }
    }

    /// The number that a text is; none for `nan`, which is a missing value or a word.
    pub(in crate::data) fn parse(self, text: &str) -> Option<f64> {
        let number: f64 = match self == NumberFormat::default() {
            true => text.parse().ok()?,
            false => self.plain(text)?.parse().ok()?,
        };
        Some(number).filter(|number| !number.is_nan())
    }

    /// The same number with a decimal point and without thousands separators, which must divide groups of three digits.
    fn plain(self, text: &str) -> Option<String> {
        let (sign, text) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (&text[..1], rest),
            None => ("", text),
        };
        let decimal = char::from(self.decimal);
        let (whole, rest) = text.split_at(text.find([decimal, 'e', 'E']).unwrap_or(text.len()));
        let groups: Vec<&str> = match self.thousands {
            Some(thousands) => whole.split(char::from(thousands)).collect(),
            None => vec![whole],
        };
        let digits = |group: &&str, sizes: std::ops::RangeInclusive<usize>| {
            sizes.contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
        };
        if let [first, others @ ..] = &groups[..]
            && !others.is_empty()
            && !(digits(first, 1..=3) && others.iter().all(|group| digits(group, 3..=3)))
        {
            return None;
        }
        let whole = groups.concat();
        let is_foreign = |text: &str| decimal != '.' && text.contains('.');
        if is_foreign(&whole) || is_foreign(rest) {
            return None;
        }
        Some(format!("{sign}{whole}{}", rest.replacen(decimal, ".", 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_those_of_the_format() {
        let parse = |decimal, thousands, text| NumberFormat { decimal, thousands }.parse(text);
        for (decimal, thousands, text, expected) in [
            (b',', None, "1,5", Some(1.5)),
            (b',', None, "-,5e-1", Some(-0.05)),
            (b',', None, "7", Some(7.0)),
            (b',', None, "1.5", None),
            (b',', None, "1,5,0", None),
            (b',', Some(b'.'), "-1.234.567,25", Some(-1234567.25)),
            (b',', Some(b'.'), "1234,5", Some(1234.5)),
            (b',', Some(b'.'), "1.5", None),
            (b',', Some(b'.'), "1234.567", None),
            (b',', Some(b'.'), "1,234.5", None),
            (b',', Some(b'.'), ".123", None),
            (b'.', Some(b','), "1,234.5", Some(1234.5)),
            (b'.', Some(b','), "1,23", None),
            (b'.', Some(b','), "1.5,000", None),
            (b'.', Some(b' '), "12 345e3", Some(12345e3)),
            (b'.', Some(b','), "inf", Some(f64::INFINITY)),
            (b'.', None, "NAN", None),
            (b'.', None, "1,5", None),
        ] {
            assert_eq!(parse(decimal, thousands, text), expected, "{text}");
        }
    }
}
