//! The schemas of the types that operations name.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Where the document has its schemas.
const SCHEMAS: &str = "#/components/schemas/";
/// Where those of what is answered are, until it is clear which of them differ from what is taken.
const GIVEN: &str = "#/components/given/";

/// The schemas of the types that operations name. A type can look different where it is taken and where it is given: a field with
/// a default may be missing from a request, and is there in every answer.
#[derive(Debug)]
pub(super) struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = |path: &str| {
            let path = path.trim_start_matches('#').to_owned();
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = path.into();
                settings.meta_schema = None;
            })
        };
        Self {
            taken: settings(SCHEMAS).for_deserialize().into_generator(),
            given: settings(GIVEN).for_serialize().into_generator(),
        }
    }

    /// `T` as it is in a request.
    pub(super) fn taken<T: JsonSchema>(&mut self) -> Schema {
        self.taken.subschema_for::<T>()
    }

    /// `T` as it is in an answer.
    pub(super) fn given<T: JsonSchema>(&mut self) -> Schema {
        self.given.subschema_for::<T>()
    }

    /// What a schema says, also where it only refers to that.
    pub(super) fn resolve(&self, schema: &Schema) -> Map<String, Value> {
        let target = schema.get("$ref").and_then(Value::as_str);
        let found = target.and_then(|target| match target.strip_prefix(SCHEMAS) {
            Some(name) => self.taken.definitions().get(name),
            None => self.given.definitions().get(target.strip_prefix(GIVEN)?),
        });
        let found = found.and_then(Value::as_object).or(schema.as_object());
        found.cloned().unwrap_or_default()
    }

    /// Puts all schemas into the document. Of a type that is taken and given in two forms, the given one is called `…Answer`.
    pub(super) fn finish(mut self, document: &mut Value) {
        let mut all = self.taken.take_definitions(true);
        let given = self.given.take_definitions(true);
        let apart = apart(&all, &given);
        for (name, mut schema) in given {
            rename(&mut schema, &apart);
            all.entry(given_name(&name, &apart)).or_insert(schema);
        }
        rename(document, &apart);
        if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
            schemas.extend(all);
        }
        bound(document);
    }
}

/// The names of the types whose two forms differ, or that refer to such a type.
fn apart(taken: &Map<String, Value>, given: &Map<String, Value>) -> BTreeSet<String> {
    let mut apart = BTreeSet::new();
    loop {
        let before = apart.len();
        for (name, schema) in given {
            let mut schema = schema.clone();
            rename(&mut schema, &apart);
            if taken.get(name).is_some_and(|taken| *taken != schema) {
                apart.insert(name.clone());
            }
        }
        if apart.len() == before {
            return apart;
        }
    }
}

fn given_name(name: &str, apart: &BTreeSet<String>) -> String {
    match apart.contains(name) {
        true => format!("{name}Answer"),
        false => name.to_owned(),
    }
}

/// Has every reference to a given schema lead to where it is in the document.
fn rename(value: &mut Value, apart: &BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some(name) = target.strip_prefix(GIVEN)
            {
                *target = format!("{SCHEMAS}{}", given_name(name, apart));
            }
            map.values_mut().for_each(|value| rename(value, apart));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, apart)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Gives whole numbers the bounds of their types: a format alone is no rule to most that read the document.
fn bound(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some((min, max)) = map.get("format").and_then(bounds)
                && map.contains_key("type")
            {
                map.entry("minimum").or_insert(min);
                map.entry("maximum").or_insert(max);
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn bounds(format: &Value) -> Option<(Value, Value)> {
    Some(match format.as_str()? {
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" | "uint" => (0.into(), u64::MAX.into()),
        _ => return None,
    })
}
