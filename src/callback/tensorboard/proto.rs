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
    pub(super) summary: Option<EventSummary>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EventSummary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<SummaryValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(in super::super) struct SummaryValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(message, optional, tag = "8")]
    tensor: Option<EventTensor>,
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
pub(in super::super) struct EventTensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    tensor_shape: Option<TensorShape>,
    #[prost(float, repeated, tag = "5")]
    float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    double_val: Vec<f64>,
    #[prost(string, repeated, tag = "8")]
    string_val: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShape {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Dim>,
}

#[derive(Clone, PartialEq, Message)]
struct Dim {
    #[prost(int64, tag = "1")]
    size: i64,
}

impl TensorShape {
    fn of<const N: usize>(sizes: [usize; N]) -> Option<Self> {
        Some(TensorShape { dim: sizes.into_iter().map(|size| Dim { size: size as i64 }).collect() })
    }
}

impl EventTensor {
    pub(super) fn text(text: String) -> Self {
        EventTensor {
            dtype: STRING,
            tensor_shape: TensorShape::of([1]),
            string_val: vec![text],
            ..EventTensor::default()
        }
    }
}

impl SummaryValue {
    /// Creates a value for this plugin of TensorBoard.
    pub(super) fn new(tag: impl Into<String>, plugin: &str, tensor: EventTensor) -> Self {
        let plugin_data = Some(PluginData { plugin_name: plugin.into() });
        let data_class = if plugin == "scalars" { 1 } else { 2 };
        let metadata = Some(Metadata { plugin_data, data_class });
        SummaryValue { tag: tag.into(), tensor: Some(tensor), metadata }
    }

    pub(super) fn scalar(tag: String, value: f64) -> Self {
        let float_val = vec![value as f32];
        let tensor = EventTensor {
            dtype: FLOAT,
            tensor_shape: TensorShape::of([]),
            float_val,
            ..EventTensor::default()
        };
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
        let tensor_shape = TensorShape::of([rows.len(), 3]);
        let double_val = rows.concat();
        let tensor = EventTensor { dtype: DOUBLE, tensor_shape, double_val, ..EventTensor::default() };
        SummaryValue::new(tag, "histograms", tensor)
    }
}
