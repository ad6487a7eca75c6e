//! Names of layers: Keras's snake case of the kind, numbered if it is taken.

use std::collections::HashSet;

use super::NamedLayer;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Returns `dense`, or `dense_1`, `dense_2` ... if that is taken.
pub(crate) fn unused<F: Scalar>(kind: &str, layers: &[NamedLayer<F>]) -> String {
    let base = snake_case(kind);
    let taken: HashSet<&str> = layers.iter().map(NamedLayer::label).collect();
    let numbered = (1..).map(|i| format!("{base}_{i}"));
    std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(&**name)).unwrap_or(base)
}

/// Refuses two layers with the same name, and names that cannot be part of a path in a file.
pub(crate) fn check_names<F: Scalar>(layers: &[NamedLayer<F>]) -> Result<()> {
    for name in layers.iter().map(NamedLayer::label) {
        if ["", ".", ".."].contains(&name) || name.contains(|c: char| "/\\:".contains(c) || c.is_control()) {
            let expected = "the name of a layer without `/`, `\\`, `:` and control characters, and not empty, `.` or `..`";
            return Err(Error::argument("name", expected, format!("{name:?}")));
        }
    }
    let mut places = std::collections::HashMap::with_capacity(layers.len());
    for (second, layer) in layers.iter().enumerate() {
        if let Some(first) = places.insert(layer.label(), second) {
            return Err(Error::DuplicateName { name: layer.label().into(), first, second });
        }
    }
    Ok(())
}

/// Converts like Keras: a `_` before a capital that starts a lowercase run or follows a lowercase letter.
pub(crate) fn snake_case(kind: &str) -> String {
    let letters: Vec<char> = kind.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut name = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let starts_run = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        let follows = i > 0 && letters[i - 1].is_lowercase();
        if i > 0 && letter.is_uppercase() && (starts_run || follows) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_convert_to_keras_names() {
        for (kind, name) in [
            ("Dense", "dense"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ELU", "elu"),
            ("LSTM", "lstm"),
            ("GRU", "gru"),
            ("SimpleRNN", "simple_rnn"),
            ("Conv1D", "conv1d"),
            ("MaxPooling1D", "max_pooling1d"),
            ("BatchNormalization", "batch_normalization"),
            ("SpatialDropout1D", "spatial_dropout1d"),
            ("UpSampling1D", "up_sampling1d"),
        ] {
            assert_eq!(snake_case(kind), name);
        }
    }
}
