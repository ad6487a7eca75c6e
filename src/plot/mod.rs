//! Pictures of training, predictions, weights and attributions, as SVG or PNG.
//!
//! Each type has a `plot` method, and the extension of the path selects the format. A picture is 800 pixels wide; a
//! PNG has two dots per pixel for high-resolution screens. The colours are those of Okabe and Ito (2008), which
//! people with any colour vision can distinguish, and lines differ by more than their colour. No font, library or
//! program needs to be installed.
//!
//! | picture | method |
//! |---|---|
//! | loss, metrics and learning rate by epoch | [`History::plot`](crate::History::plot) |
//! | confusion matrix | [`ConfusionMatrix::plot`](crate::metric::ConfusionMatrix::plot) |
//! | ROC, precision-recall, reliability | [`RocCurve::plot`](crate::metric::RocCurve::plot) and its siblings; [`roc`], [`precision_recall`] and [`reliability`] for one curve per class |
//! | contributions of the inputs to an output | [`Attributions::plot`](crate::inspect::Attributions::plot) |
//! | weights, gradients and activations over the epochs | [`Histograms::plot`](crate::callback::Histograms::plot) |
//! | kernels of the first layer | [`Sequential::plot_kernels`](crate::Sequential::plot_kernels) |
//! | charts of numbers: forecasts, intervals, results | [`Chart`] |
//! | scores of a search by one hyper-parameter | [`SearchResults::plot`](crate::selection::SearchResults::plot) |
//! | the layers | [`Sequential::plot`](crate::Sequential::plot), [`Sequential::to_dot`](crate::Sequential::to_dot) |
//!
//! # References
//! Okabe and Ito (2008), *Color universal design*: <https://jfly.uni-koeln.de/color/>

mod architecture;
mod axes;
mod chart;
mod colour;
mod confusion;
mod curves;
mod histograms;
mod history;
mod ink;
mod kernels;
mod saliency;
mod scene;
mod search;

pub use chart::Chart;
pub use curves::{precision_recall, reliability, roc};

use std::path::Path;

use crate::error::{FileError, Result};
use scene::Scene;

/// Writes a picture to a file, in the format of its extension.
fn save(path: &Path, scene: &Scene) -> Result<()> {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let bytes = match end.as_deref() {
        Some("svg") => ink::svg(scene)?.into_bytes(),
        Some("png") => ink::png(scene)?,
        _ => {
            let path = path.display().to_string();
            return Err(FileError::Extension { path, expected: ".svg or .png" }.into());
        }
    };
    crate::save::atomic::save(path, |to| to.write_all(&bytes))
}
