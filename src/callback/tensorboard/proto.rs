//! The TensorBoard messages written here, with the field numbers of `event.proto`, `summary.proto` and `tensor.proto`.
//!
//! They are declared for `prost` by hand: generated code for the whole schema would need `protoc` at build time.

use prost::Message;

/// The element types of `TensorProto`.
const FLOAT: i32 = 1;
const DOUBLE: i32 = 2;
const STRING: i32 = 7;
/// The number of bins of a histogram, as in TensorFlow.
const BUCKETS: usize = 30;

/// One of the last two fields is set.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(string, optional, tag = "3")]
    pub(super) file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(super) summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin_data: Option<PluginData>,
    /// 1 for scalars, 2 for tensors.
    #[prost(int32, tag = "4")]
    data_class: i32,
}

#[derive(Clone, PartialEq, Message)]
struct PluginData {
    #[prost(string, tag = "1")]
    plugin_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    tensor_shape: Option<Shape>,
    #[prost(float, repeated, tag = "5")]
    float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    double_val: Vec<f64>,
    #[prost(string, repeated, tag = "8")]
    string_val: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Dim>,
}

#[derive(Clone, PartialEq, Message)]
struct Dim {
    #[prost(int64, tag = "1")]
    size: i64,
}

impl Shape {
    fn of<const N: usize>(sizes: [usize; N]) -> Option<Self> {
        Some(Shape { dim: sizes.into_iter().map(|size| Dim { size: size as i64 }).collect() })
    }
}

impl Tensor {
    pub(super) fn text(text: String) -> Self {
        Tensor { dtype: STRING, tensor_shape: Shape::of([1]), string_val: vec![text], ..Tensor::default() }
    }
}

impl SummaryValue {
    /// Creates a value for this plugin of TensorBoard.
    pub(super) fn new(tag: impl Into<String>, plugin: &str, tensor: Tensor) -> Self {
        let plugin_data = Some(PluginData { plugin_name: plugin.into() });
        let data_class = if plugin == "scalars" { 1 } else { 2 };
        let metadata = Some(Metadata { plugin_data, data_class });
        SummaryValue { tag: tag.into(), tensor: Some(tensor), metadata }
    }

    pub(super) fn scalar(tag: String, value: f64) -> Self {
        let float_val = vec![value as f32];
        let tensor = Tensor { dtype: FLOAT, tensor_shape: Shape::of([]), float_val, ..Tensor::default() };
        SummaryValue::new(tag, "scalars", tensor)
    }

    /// Counts the finite values in 30 equal bins: rows of left edge, right edge and count.
    pub(super) fn histogram(tag: String, values: &[f64]) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = finite().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let count = finite().count();
        let rows = match high - low {
            _ if count == 0 => Vec::new(),
            range if range > 0.0 && range.is_finite() => {
                let mut counts = [0.0; BUCKETS];
                let part = |x: f64| ((x - low) / range * BUCKETS as f64) as usize;
                finite().for_each(|x| counts[part(x).min(BUCKETS - 1)] += 1.0);
                let edge = |i: usize| low + range * i as f64 / BUCKETS as f64;
                (0..BUCKETS).map(|i| [edge(i), edge(i + 1), counts[i]]).collect()
            }
            _ => vec![[low - 0.5, high + 0.5, count as f64]],
        };
        let tensor_shape = Shape::of([rows.len(), 3]);
        let double_val = rows.concat();
        let tensor = Tensor { dtype: DOUBLE, tensor_shape, double_val, ..Tensor::default() };
        SummaryValue::new(tag, "histograms", tensor)
    }
}
