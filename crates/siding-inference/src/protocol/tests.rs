use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::{Datatype, InferReply, InferRequest, OutputForm, Shape, Tensor};

fn datatypes() -> impl Strategy<Value = Datatype> {
    prop::sample::select(Datatype::ALL.to_vec())
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(body in prop::collection::vec(any::<u8>(), 0..512), length in prop::option::of(0_usize..600)) {
        let _ = InferRequest::read(&Bytes::from(body), length);
    }

    #[test]
    fn what_is_read_is_as_long_as_it_says(
        datatype in datatypes(),
        dims in prop::collection::vec(-1_i64..5, 0..4),
        size in 0_usize..64,
        data in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let json = json!({ "inputs": [{
            "name": "x", "shape": dims, "datatype": datatype, "parameters": { "binary_data_size": size },
        }] }).to_string();
        let body = Bytes::from([json.as_bytes(), &data].concat());
        if let Ok(request) = InferRequest::read(&body, Some(json.len())) {
            let tensor = &request.inputs[0];
            prop_assert_eq!(tensor.data(), &data);
            match datatype.size() {
                Some(size) => prop_assert_eq!(tensor.shape().elements() * size, data.len()),
                None => prop_assert_eq!(tensor.strings().map(|s| s.len() + 4).sum::<usize>(), data.len()),
            }
        }
    }

    #[test]
    fn strings_are_checked_whatever_they_are(data in prop::collection::vec(any::<u8>(), 0..64), count in 0_usize..20) {
        let shape = Shape::from(vec![count]);
        if let Ok(tensor) = Tensor::new("x", Datatype::Bytes, shape, data.into()) {
            prop_assert_eq!(tensor.strings().count(), count);
        }
    }
}

#[test]
fn a_reply_in_json_is_read_as_what_was_written() {
    let cases: [(Datatype, &[u8]); 4] = [
        (Datatype::Fp32, &1.5_f32.to_le_bytes()),
        (Datatype::Int64, &i64::MIN.to_le_bytes()),
        (Datatype::Bool, &[1]),
        (Datatype::Bytes, b"\x02\0\0\0hi"),
    ];
    for (datatype, data) in cases {
        let shape = Shape::from(vec![1]);
        let tensor = Tensor::new("x", datatype, shape, Bytes::copy_from_slice(data)).unwrap();
        let reply = InferReply {
            model_name: "m",
            model_version: "1",
            id: None,
            outputs: vec![(tensor.clone(), OutputForm::Json)],
        };
        let (body, json_length) = reply.write().unwrap();
        assert_eq!(json_length, None);
        let mut json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let inputs = json["outputs"].take();
        let request = json!({ "inputs": inputs }).to_string();
        let read = InferRequest::read(&request.into(), None).unwrap();
        assert_eq!(read.inputs, [tensor]);
    }
}

#[test]
fn reading_stops_at_the_first_element_that_has_no_place() {
    // The rest is no JSON: it would be told if it were read.
    let data = format!("[{}", "1,".repeat(10));
    let raw =
        format!(r#"{{"inputs":[{{"name":"x","shape":[2],"datatype":"INT8","data":{data}1]}}]}}"#);
    let error = InferRequest::read(&raw.into(), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("more elements than the shape has"),
        "{error}"
    );
}
