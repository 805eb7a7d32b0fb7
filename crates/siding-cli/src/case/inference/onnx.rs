//! Small networks as ONNX files, so that none of megabytes lies in the repository.
//!
//! The messages are the few fields of [ONNX's](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that such a network needs.

use prost::Message;

/// ONNX's number for 32-bit floats.
const FLOAT: i32 = 1;
/// Of the file format and the operators; every current runtime reads them.
const IR_VERSION: i64 = 8;
const OPERATORS_VERSION: i64 = 13;

#[derive(Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

#[derive(Message)]
struct OperatorSet {
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Weights>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Value>,
}

#[derive(Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    op_type: String,
}

#[derive(Message)]
struct Weights {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<Type>,
}

#[derive(Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dim>,
}

#[derive(Message)]
struct Dim {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    dim_param: Option<String>,
}

/// A network of dense layers with `Relu` between them, `widths` being those of its input, of each layer, and so at last of its output.
/// It takes `x`, rows of the first width, and gives `y`. The weights are of no meaning, and always the same.
pub(super) fn dense(widths: &[usize]) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut graph = Graph {
        name: "dense".to_owned(),
        input: vec![rows("x", widths[0])],
        output: vec![rows("y", widths[widths.len() - 1])],
        ..Graph::default()
    };
    let mut value = "x".to_owned();
    for (layer, pair) in widths.windows(2).enumerate() {
        let (weights, bias) = (format!("weights{layer}"), format!("bias{layer}"));
        let is_last = layer + 2 == widths.len();
        let sum = if is_last {
            "y".to_owned()
        } else {
            format!("sum{layer}")
        };
        graph.initializer.push(tensor(&weights, pair, &mut random));
        graph
            .initializer
            .push(tensor(&bias, &pair[1..], &mut random));
        graph
            .node
            .push(node("Gemm", &[&value, &weights, &bias], &sum));
        value = sum;
        if !is_last {
            let positive = format!("positive{layer}");
            graph.node.push(node("Relu", &[&value], &positive));
            value = positive;
        }
    }
    let model = Model {
        ir_version: IR_VERSION,
        graph: Some(graph),
        opset_import: vec![OperatorSet {
            version: OPERATORS_VERSION,
        }],
    };
    model.encode_to_vec()
}

fn node(operator: &str, input: &[&str], output: &str) -> Node {
    Node {
        input: input.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: operator.to_owned(),
    }
}

fn tensor(name: &str, dims: &[usize], random: &mut fastrand::Rng) -> Weights {
    let count: usize = dims.iter().product();
    let values = (0..count).map(|_| (random.f32() - 0.5) / 8.0);
    Weights {
        dims: dims.iter().copied().map(size).collect(),
        data_type: FLOAT,
        name: name.to_owned(),
        raw_data: values.flat_map(f32::to_le_bytes).collect(),
    }
}

/// As many rows as one likes.
fn rows(name: &str, width: usize) -> Value {
    let count = Dim {
        dim_value: None,
        dim_param: Some("rows".to_owned()),
    };
    let width = Dim {
        dim_value: Some(size(width)),
        dim_param: None,
    };
    let tensor_type = TensorType {
        elem_type: FLOAT,
        shape: Some(Shape {
            dim: vec![count, width],
        }),
    };
    Value {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(tensor_type),
        }),
    }
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
