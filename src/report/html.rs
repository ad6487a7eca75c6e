//! Text for an HTML page: escaping and number formats.

use std::fmt::Display;

/// Escapes a text for HTML, between tags and in attributes.
pub(super) fn escaped(text: impl Display) -> String {
    let mut to = String::new();
    for c in text.to_string().chars() {
        match c {
            '&' => to.push_str("&amp;"),
            '<' => to.push_str("&lt;"),
            '>' => to.push_str("&gt;"),
            '"' => to.push_str("&quot;"),
            '\'' => to.push_str("&#39;"),
            '\n' | '\t' => to.push(c),
            c if c.is_control() => to.push('\u{FFFD}'),
            c => to.push(c),
        }
    }
    to
}

/// Formats a number with four significant digits.
pub(super) fn number(value: f64) -> String {
    let text = match value.abs() {
        _ if value.is_nan() => "NaN".into(),
        _ if value.is_infinite() => "∞".into(),
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{value:.3e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size => format!("{value:.*}", (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize),
    };
    let sign = if value == f64::NEG_INFINITY { "−" } else { "" };
    format!("{sign}{}", text.replacen('-', "−", 1).replace("e-", "e−"))
}

/// Formats a count, or a weight that may be a fraction.
pub(super) fn count(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") }
}

/// `240505` as `240 505`, with thin spaces.
pub(super) fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut to = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            to.push('\u{202F}');
        }
        to.push(digit);
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(
            escaped("<a href='x'>\u{7}&\"</a>"),
            "&lt;a href=&#39;x&#39;&gt;\u{FFFD}&amp;&quot;&lt;/a&gt;"
        );
    }

    #[test]
    fn numbers_have_four_significant_digits() {
        let cases = [
            (0.0, "0"),
            (0.25, "0.2500"),
            (12.8945, "12.89"),
            (12345.6, "12346"),
            (-0.00012, "−0.0001200"),
            (1.5e-9, "1.500e−9"),
            (f64::NEG_INFINITY, "−∞"),
            (f64::NAN, "NaN"),
        ];
        cases.iter().for_each(|(value, text)| assert_eq!(number(*value), *text));
        assert_eq!(grouped(1234567), "1\u{202F}234\u{202F}567");
    }
}
