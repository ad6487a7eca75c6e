//! An ONNX graph under construction: operators, constants, and unique names.

use std::collections::HashSet;

use ndarray::ArrayD;

use super::proto::{
    self, Attribute, Dimension, FLOAT, INT64, TensorProto, TensorShapeProto, TensorType, Type, ValueInfo,
};

/// The free length of the batch. Input and output share the name, so that a runtime knows they are equal.
const BATCH: &str = "N";

/// The nodes and constants so far. A value is identified by its name.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<proto::NodeProto>,
    constants: Vec<TensorProto>,
    taken: HashSet<String>,
    /// The prefix of names: the path of the layer.
    place: String,
}

impl Graph {
    /// Sets the prefix of the following names to the path of a layer.
    pub(super) fn enter(&mut self, place: &str) {
        self.place = place.into();
    }

    /// Returns an unused name.
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let base = if self.place.is_empty() { wanted.into() } else { format!("{}/{wanted}", self.place) };
        let numbered = (1..).map(|i| format!("{base}_{i}"));
        let free = std::iter::once(base.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = free.unwrap_or(base);
        self.taken.insert(name.clone());
        name
    }

    /// Adds an operator with one output. An input left out is `""`.
    pub(super) fn op(&mut self, kind: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let name = self.name(kind);
        self.node(kind, name.clone(), inputs, vec![name.clone()], attributes);
        name
    }

    /// Adds an operator with several outputs.
    pub(super) fn op_of(
        &mut self,
        kind: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
        outputs: usize,
    ) -> Vec<String> {
        let name = self.name(kind);
        let outputs: Vec<String> = (0..outputs).map(|_| self.name(kind)).collect();
        self.node(kind, name, inputs, outputs.clone(), attributes);
        outputs
    }

    /// Adds an operator whose outputs already have names.
    pub(super) fn node(
        &mut self,
        kind: &str,
        name: String,
        inputs: &[&str],
        output: Vec<String>,
        attribute: Vec<Attribute>,
    ) {
        let input = inputs.iter().map(|input| (*input).to_string()).collect();
        self.nodes.push(proto::NodeProto { input, output, name, op_type: kind.into(), attribute });
    }

    /// Adds a constant array in row-major order.
    pub(super) fn constant(&mut self, name: &str, values: &ArrayD<f32>) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, values.shape().iter().map(|&size| long(size)).collect(), FLOAT, bytes)
    }

    /// Adds a scalar constant.
    pub(super) fn scalar(&mut self, value: f64) -> String {
        self.tensor("constant", Vec::new(), FLOAT, (value as f32).to_le_bytes().into())
    }

    /// Adds an integer constant.
    pub(super) fn integer(&mut self, value: i64) -> String {
        self.tensor("constant", Vec::new(), INT64, value.to_le_bytes().into())
    }

    /// Adds a constant list of integers, such as a shape.
    pub(super) fn integers(&mut self, name: &str, values: impl IntoIterator<Item = i64>) -> String {
        let values: Vec<i64> = values.into_iter().collect();
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, vec![long(values.len())], INT64, bytes)
    }

    fn tensor(&mut self, name: &str, dims: Vec<i64>, data_type: i32, raw_data: Vec<u8>) -> String {
        let name = self.name(name);
        self.constants.push(TensorProto { dims, data_type, name: name.clone(), raw_data });
        name
    }

    /// Reshapes every sample of `x`.
    pub(super) fn reshape(&mut self, x: &str, sample: &[usize]) -> String {
        // 0 keeps the length of the input: the batch.
        let shape = self.integers("shape", std::iter::once(0).chain(sample.iter().map(|&size| long(size))));
        self.op("Reshape", &[x, &shape], Vec::new())
    }

    /// Permutes the axes of `x`, including that of the batch.
    pub(super) fn transpose(&mut self, x: &str, axes: impl IntoIterator<Item = usize>) -> String {
        self.op("Transpose", &[x], vec![ints("perm", axes.into_iter().map(long))])
    }

    /// Splits `x` along its last axis into `parts` parts of length `len`.
    pub(super) fn split(&mut self, x: &str, parts: usize, len: usize) -> Vec<String> {
        let lengths = self.integers("lengths", (0..parts).map(|_| long(len)));
        self.op_of("Split", &[x, &lengths], vec![int("axis", -1)], parts)
    }

    /// Gathers these indices along the first axis of each sample.
    pub(super) fn pick(&mut self, x: &str, places: impl IntoIterator<Item = usize>) -> String {
        self.pick_along(x, 1, places)
    }

    /// Gathers these indices along an axis of `x`, counted from that of the batch.
    pub(super) fn pick_along(
        &mut self,
        x: &str,
        axis: usize,
        places: impl IntoIterator<Item = usize>,
    ) -> String {
        let places = self.integers("places", places.into_iter().map(long));
        self.op("Gather", &[x, &places], vec![int("axis", long(axis))])
    }

    /// Returns the subgraph that `grow` builds with inputs and outputs of these widths, to be run by a node of this
    /// graph.
    pub(super) fn within(
        &mut self,
        inputs: &[(&str, usize)],
        grow: impl FnOnce(&mut Graph, &[String]) -> Vec<(String, usize)>,
    ) -> proto::GraphProto {
        let mut inner = Graph { place: format!("{}/step", self.place), ..Graph::default() };
        inner.taken = std::mem::take(&mut self.taken);
        let names: Vec<String> = inputs.iter().map(|(name, _)| inner.name(name)).collect();
        let input = names.iter().zip(inputs).map(|(name, (_, width))| value(name, &[Some(*width)])).collect();
        let output =
            grow(&mut inner, &names).iter().map(|(name, width)| value(name, &[Some(*width)])).collect();
        self.taken = std::mem::take(&mut inner.taken);
        inner.finish(format!("{}/step", self.place), input, output)
    }

    /// Returns the whole graph from `input` to `output`, which gets its name last.
    pub(super) fn into_model(
        mut self,
        name: &str,
        input: Endpoint,
        mut output: Endpoint,
    ) -> proto::ModelProto {
        self.place.clear();
        let last = std::mem::replace(&mut output.name, self.name("output"));
        if last == input.name {
            self.node("Identity", "output".into(), &[&last], vec![output.name.clone()], Vec::new());
        }
        let ends = |node: &mut proto::NodeProto| {
            node.output.iter_mut().chain(&mut node.input).for_each(|value| {
                if *value == last && last != input.name {
                    *value = output.name.clone();
                }
            });
        };
        self.nodes.iter_mut().for_each(ends);
        let [input, output] = [input, output].map(|end| vec![value(&end.name, &end.sample)]);
        proto::ModelProto {
            ir_version: 8,
            producer_name: "cornu".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(self.finish(name.into(), input, output)),
            opset_import: vec![proto::OperatorSet { domain: String::new(), version: 17 }],
        }
    }

    fn finish(self, name: String, input: Vec<ValueInfo>, output: Vec<ValueInfo>) -> proto::GraphProto {
        proto::GraphProto { node: self.nodes, name, initializer: self.constants, input, output }
    }
}

/// A value and the shape of one sample of it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) name: String,
    /// The axes of a sample; `None` for one of any length.
    pub(super) sample: Vec<Option<usize>>,
}

/// A batch of samples of this shape.
fn value(name: &str, sample: &[Option<usize>]) -> ValueInfo {
    let batch = Dimension { value: None, param: Some(BATCH.into()) };
    let sizes = sample.iter().enumerate().map(|(axis, size)| {
        let param = size.is_none().then(|| format!("{name}_axis_{}", axis + 1));
        Dimension { value: size.map(long), param }
    });
    let shape = TensorShapeProto { dim: std::iter::once(batch).chain(sizes).collect() };
    let tensor = TensorType { elem_type: FLOAT, shape: Some(shape) };
    ValueInfo { name: name.into(), kind: Some(Type { tensor: Some(tensor) }) }
}

/// Converts a length to ONNX's type.
pub(super) fn long(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.into(), i: Some(value), kind: 2, ..Attribute::default() }
}

/// A list of integers as an attribute.
pub(super) fn ints(name: &str, values: impl IntoIterator<Item = i64>) -> Attribute {
    Attribute { name: name.into(), ints: values.into_iter().collect(), kind: 7, ..Attribute::default() }
}

/// A float attribute.
pub(super) fn float(name: &str, value: f64) -> Attribute {
    Attribute { name: name.into(), f: Some(value as f32), kind: 1, ..Attribute::default() }
}

/// A single number as a tensor attribute.
pub(super) fn one(name: &str, value: f32) -> Attribute {
    let tensor = TensorProto {
        dims: vec![1],
        data_type: FLOAT,
        name: String::new(),
        raw_data: value.to_le_bytes().into(),
    };
    Attribute { name: name.into(), t: Some(tensor), kind: 4, ..Attribute::default() }
}

/// A graph as an attribute.
pub(super) fn graph(name: &str, graph: proto::GraphProto) -> Attribute {
    Attribute { name: name.into(), g: Some(graph), kind: 5, ..Attribute::default() }
}
