//! Output to look at: plots, the HTML report, event files for TensorBoard, and the curves in the plots.

mod curves;
#[cfg(feature = "plot")]
mod plot;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "tensorboard")]
mod tensorboard;
