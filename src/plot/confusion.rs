//! Pictures of confusion matrices.

use std::path::Path;

use super::colour::{INK, WHITE, on, shade};
use super::ink::{fitted, width};
use super::save;
use super::scene::{Anchor, SMALL, Scene, Stroke, TEXT};
use crate::error::Result;
use crate::metric::ConfusionMatrix;

const WIDTH: f64 = 800.0;

impl ConfusionMatrix {
    /// Draws the matrix to an `.svg` or `.png` file: a row per true class, a column per predicted class.
    ///
    /// Each cell shows its count and is as dark as its share of the row.
    ///
    /// # Errors
    /// [`FileError::Extension`](crate::error::FileError::Extension), [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::metric::ConfusionMatrix;
    /// let matrix = ConfusionMatrix::new([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 3)?.names(["rest", "spike", "wave"])?;
    /// let path = std::env::temp_dir().join("cornu-example-confusion.svg");
    /// matrix.plot(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.contains("spike")));
    /// # std::fs::remove_file(&path).map_err(cornu::Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn plot(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path.as_ref(), &scene(self))
    }
}

fn scene(matrix: &ConfusionMatrix) -> Scene {
    let (counts, names) = (matrix.counts(), matrix.class_names());
    let classes = names.len();
    // Names take the space they need, up to a third of the picture.
    let longest = names.iter().map(|name| width(name, SMALL)).fold(0.0, f64::max).min(170.0);
    let left = longest + 44.0;
    let cell = ((WIDTH - left - 20.0) / classes as f64).min(if classes < 4 { 150.0 } else { 110.0 });
    // Centred, if it is narrower than the picture.
    let left = left + ((WIDTH - 20.0 - left - cell * classes as f64) / 2.0 - 20.0).max(0.0);
    let (top, right) = (44.0, left + cell * classes as f64);
    let bottom = top + cell * classes as f64;
    // Names below the columns are vertical if they are wider than the columns.
    let lies = names.iter().all(|name| width(name, SMALL) < cell - 4.0);
    let below = if lies { 22.0 } else { longest + 10.0 };
    let mut scene = Scene::new("Confusion matrix", (WIDTH, (bottom + below + 34.0).ceil()));
    // Never 100 % if something is wrong.
    let most = if matrix.accuracy() < 1.0 { 99.9 } else { 100.0 };
    let percent = (100.0 * matrix.accuracy()).min(most);
    let title = format!("accuracy {percent:.1} % of {}", written(counts.sum()));
    scene.text(((left + right) / 2.0, 20.0), title, TEXT, Anchor::Middle);
    let texts: Vec<String> = counts.iter().map(|count| written(*count)).collect();
    let widest = texts.iter().map(|text| width(text, 1.0)).fold(0.0, f64::max);
    let size = (0.86 * cell / widest.max(0.5)).min(0.5 * cell).min(16.0);
    for ((row, column), count) in counts.indexed_iter() {
        let total = counts.row(row).sum();
        let colour = if total > 0.0 { shade(count / total) } else { WHITE };
        let (x, y) = (left + cell * column as f64, top + cell * row as f64);
        if *count != 0.0 {
            scene.rect((x, y), (x + cell, y + cell), colour);
        }
        if size >= 6.0 && *count != 0.0 || classes <= 10 {
            let text = texts[row * classes + column].clone();
            scene.coloured((x + cell / 2.0, y + cell / 2.0), text, size, Anchor::Middle, on(colour));
        }
    }
    scene.outline((left, top), (right, bottom), Stroke::new(INK, 1.0));
    let size = SMALL.min(cell - 1.0).max(9.0);
    // With very many classes, not every name fits.
    let every = ((size + 1.0) / cell).ceil().max(1.0) as usize;
    for (class, name) in names.iter().enumerate().step_by(every) {
        let middle = cell * (class as f64 + 0.5);
        let name = fitted(name, size, 170.0);
        scene.text((left - 8.0, top + middle), &*name, size, Anchor::End);
        match lies {
            true => scene.text((left + middle, bottom + 14.0), name, size, Anchor::Middle),
            false => {
                let half = width(&name, size) / 2.0;
                scene.upwards((left + middle, bottom + 8.0 + half), name, size);
            }
        }
    }
    scene.text(((left + right) / 2.0, bottom + below + 14.0), "predicted class", TEXT, Anchor::Middle);
    scene.upwards((left - longest - 30.0, (top + bottom) / 2.0), "true class", TEXT);
    scene
}

/// A count, which may be a fraction if rows were weighted.
fn written(count: f64) -> String {
    if count.fract() == 0.0 { format!("{count}") } else { format!("{count:.2}") }
}
