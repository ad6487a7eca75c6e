//! The summary: Keras's table of layers, shapes and parameters, and the memory that training takes.

use std::fmt;

use super::{InputShape, Sequential};
use crate::layer::{Layer, NamedLayer};
use crate::scalar::Scalar;

/// A table of the model's layers, formatted by `Display`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let model = Sequential::new().input([6000, 1]).add(Flatten::new()).add(Dense::new(40).name("F1"));
/// let table = model.summary().to_string();
/// assert!(table.contains("│ F1 (Dense)                      │ (None, 40)             │       240,040 │"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    rows: Vec<SummaryRow>,
    trainable: usize,
    fixed: usize,
    /// The bytes of one number.
    scalar: usize,
    /// The numbers that the optimizer keeps for the trainable parameters.
    slots: usize,
    batch_size: usize,
    /// The numbers of a batch, in addition to the parameters.
    batch: usize,
    fault: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct SummaryRow {
    layer: String,
    shape: String,
    params: String,
}

impl<F: Scalar> Sequential<F> {
    /// Returns the table of layers in Keras's layout, with the memory that training with batch size 32 takes.
    ///
    /// If the input shape is known, shapes are those after building; otherwise they are `?`.
    pub fn summary(&self) -> Summary {
        self.summary_for(32)
    }

    /// Returns the table of layers, with the memory that training with this batch size takes.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::new().input([6000]).add(Dense::new(40));
    /// let table = model.summary_for(50).to_string();
    /// assert!(table.contains("Training with batch size 50: 2.99 MB"), "{table}");
    /// ```
    pub fn summary_for(&self, batch_size: usize) -> Summary {
        let mut model = self.clone();
        let fault = match self.input_axes() {
            Some(_) => model.build().err().map(|error| error.to_string()),
            None => None,
        };
        model.describe(batch_size, fault)
    }

    fn describe(&self, batch_size: usize, fault: Option<String>) -> Summary {
        let (mut trainable, mut fixed, mut slots) = (0, 0, 0);
        let optimizer = self.compiled.as_ref().map(|compiled| &compiled.optimizer);
        self.walk(&mut |path, on, param| {
            if !(on && param.is_trainable()) {
                return fixed += param.len();
            }
            trainable += param.len();
            for slot in 0..optimizer.map_or(0, |optimizer| optimizer.traits().slots.len()) {
                let shape = optimizer.and_then(|optimizer| optimizer.slot_shape(slot, &path, param.shape()));
                slots += shape.map_or(0, |shape| shape.iter().product());
            }
        });
        let workspace: usize =
            self.layers.iter().filter(|layer| !layer.is_view()).map(|layer| 2 * layer.widths().1).sum();
        let input = self.layers.first().map_or(0, |layer| layer.widths().0);
        let kept: usize = self.layers.iter().map(|layer| layer.traits().memory.numbers(batch_size)).sum();
        Summary {
            rows: self.layers.iter().map(row).collect(),
            trainable,
            fixed,
            scalar: size_of::<F>(),
            slots,
            batch_size,
            batch: batch_size * (input + workspace) + kept,
            fault,
        }
    }
}

fn row<F: Scalar>(layer: &NamedLayer<F>) -> SummaryRow {
    let mut params = 0;
    layer.walk("", &mut |_, _, param| params += param.len());
    let (shape, params) = match layer.output_axes() {
        Some(axes) => (InputShape::from(axes).to_string().replacen('(', "(None, ", 1), grouped(params)),
        None => ("?".into(), "0 (unbuilt)".into()),
    };
    SummaryRow { layer: format!("{} ({})", layer.label(), layer.kind()), shape, params }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "Model: \"sequential\"")?;
        writeln!(f, "┏{:━<33}┳{:━<24}┳{:━<15}┓", "", "", "")?;
        writeln!(f, "┃ {:<31} ┃ {:<22} ┃ {:>13} ┃", "Layer (type)", "Output Shape", "Param #")?;
        writeln!(f, "┡{:━<33}╇{:━<24}╇{:━<15}┩", "", "", "")?;
        for (i, row) in self.rows.iter().enumerate() {
            if i > 0 {
                writeln!(f, "├{:─<33}┼{:─<24}┼{:─<15}┤", "", "", "")?;
            }
            let (names, shapes) = (wrapped(&row.layer, 31), wrapped(&row.shape, 22));
            for line in 0..names.len().max(shapes.len()) {
                let cell = |cells: &[String]| cells.get(line).cloned().unwrap_or_default();
                let params = if line == 0 { &*row.params } else { "" };
                writeln!(f, "│ {:<31} │ {:<22} │ {params:>13} │", cell(&names), cell(&shapes))?;
            }
        }
        writeln!(f, "└{:─<33}┴{:─<24}┴{:─<15}┘", "", "", "")?;
        for (what, count) in [
            ("Total", self.trainable + self.fixed),
            ("Trainable", self.trainable),
            ("Non-trainable", self.fixed),
        ] {
            writeln!(f, " {what} params: {} ({})", grouped(count), bytes(count * self.scalar))?;
        }
        // Values, gradients and optimizer slots of the parameters, and the buffers of a batch.
        let numbers = 2 * self.trainable + self.slots + self.fixed + self.batch;
        write!(f, " Training with batch size {}: {}", self.batch_size, bytes(numbers * self.scalar))?;
        if let Some(fault) = &self.fault {
            write!(f, "\n Does not build: {fault}")?;
        }
        Ok(())
    }
}

/// Splits the text of a cell into lines, before `(Kind)` if it is too long, and truncates it if needed.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let lines: Vec<&str> = match clean.rsplit_once(' ') {
        Some((name, kind)) if clean.chars().count() > width => vec![name, kind],
        _ => vec![&clean],
    };
    let cut = |line: &str| match line.chars().count() > width {
        true => line.chars().take(width - 1).chain(['…']).collect(),
        false => line.into(),
    };
    lines.into_iter().map(cut).collect()
}

/// `240505` as `240,505`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `962020` as `939.47 KB`.
fn bytes(count: usize) -> String {
    let mut size = count as f64;
    for unit in ["B", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Activation;
    use crate::layer::LayerExt;
    use crate::layer::{Dense, Flatten, Softmax};

    #[test]
    fn the_summary_has_the_layout_of_keras() {
        let model = Sequential::new()
            .input([6000, 1])
            .add(Flatten::new().name("S2"))
            .add(Dense::new(40).activation(Activation::Relu).name("F1"))
            .add(Dense::new(10).activation(Activation::Relu).name("F2"))
            .add(Dense::new(5).activation(Activation::Relu).name("output"))
            .add(Softmax::new().name("softmax"));
        let expected = "\
Model: \"sequential\"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ S2 (Flatten)                    │ (None, 6000)           │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ F1 (Dense)                      │ (None, 40)             │       240,040 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ F2 (Dense)                      │ (None, 10)             │           410 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ output (Dense)                  │ (None, 5)              │            55 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ softmax (Softmax)               │ (None, 5)              │             0 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 240,505 (939.47 KB)
 Trainable params: 240,505 (939.47 KB)
 Non-trainable params: 0 (0.00 B)
";
        assert!(model.summary().to_string().starts_with(expected), "{}", model.summary());
    }

    #[test]
    fn the_summary_of_an_invalid_model_contains_the_error() {
        let model = Sequential::new().input([3]).add(Dense::new(2)).add(Dense::new(0).name("none"));
        let table = model.summary().to_string();
        assert!(
            table.contains("0 (unbuilt)") && table.contains("layer 1 `none` (Dense): `units`"),
            "{table}"
        );
        let unknown = Sequential::new().add(Dense::new(2)).summary().to_string();
        assert!(unknown.contains("│ ?  "), "{unknown}");
    }

    #[test]
    fn long_names_are_wrapped_and_truncated() {
        assert_eq!(
            wrapped("a_name_that_is_rather_long_indeed (Dense)", 31),
            ["a_name_that_is_rather_long_ind…", "(Dense)"]
        );
        assert_eq!(wrapped("tab\there (Dense)", 31), ["tab?here (Dense)"]);
    }
}
