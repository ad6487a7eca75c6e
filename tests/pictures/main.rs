//! What a person looks at: plots, the HTML report, event files for TensorBoard, and the curves that are drawn.

mod curves;
#[cfg(feature = "plot")]
mod plot;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "tensorboard")]
mod tensorboard;
