//! One operation of the document, while its handler's types describe it.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::schemas::Schemas;

/// The key of responses whose status only the handler knows.
const DEFAULT: &str = "default";
/// The media type of problems.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// One operation of the document, while it is described by an [`Input`](super::Input), an [`Output`](super::Output) or
/// [`Described::with`](super::Described::with).
#[derive(Debug)]
pub struct Operation<'a> {
    method: &'a str,
    /// The names of the path's parameters, in order.
    names: &'a [String],
    schemas: &'a mut Schemas,
    need: Need,
    /// The key of the response that an [`Output`](super::Output) describes.
    status: String,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) responses: Map<String, Value>,
}

/// Whether a request must have what an [`Input`](super::Input) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

impl<'a> Operation<'a> {
    pub(super) fn new(method: &'a str, names: &'a [String], schemas: &'a mut Schemas) -> Self {
        Self {
            method,
            names,
            schemas,
            need: Need::Required,
            status: StatusCode::OK.as_u16().to_string(),
            parameters: Vec::new(),
            body: None,
            responses: Map::new(),
        }
    }

    /// Its method in lower case, as the document has it.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// Its path's parameters are `T`: the fields of a struct by their names, the parts of a tuple in order, or a single one.
    pub fn path<T: JsonSchema>(&mut self) {
        let schema = self.schemas.taken::<T>();
        let resolved = self.schemas.resolve(&schema);
        let properties = resolved.get("properties").and_then(Value::as_object);
        let parts = resolved.get("prefixItems").and_then(Value::as_array);
        for (index, name) in self.names.iter().enumerate() {
            let of_name = match (properties, parts) {
                (Some(properties), _) => properties.get(name).cloned(),
                (None, Some(parts)) => parts.get(index).cloned(),
                (None, None) => (self.names.len() == 1).then(|| schema.clone().to_value()),
            };
            if let Some(schema) = of_name {
                push(&mut self.parameters, parameter("path", name, schema, true));
            }
        }
    }

    /// Its query has the fields of `T`.
    pub fn query<T: JsonSchema>(&mut self) {
        let schema = self.schemas.taken::<T>();
        let resolved = self.schemas.resolve(&schema);
        let required = resolved.get("required").and_then(Value::as_array);
        let properties = resolved.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let required = self.need == Need::Required
                && required.is_some_and(|names| names.iter().any(|other| other == name));
            let schema = without_null(schema.clone());
            push(
                &mut self.parameters,
                parameter("query", name, schema, required),
            );
        }
    }

    /// It takes a header, which is text.
    pub fn header(&mut self, name: &str, description: &str) {
        let required = self.need == Need::Required;
        let mut header = parameter("header", name, json!({"type": "string"}), required);
        header["description"] = description.into();
        push(&mut self.parameters, header);
    }

    /// Its body is a `T` of this media type.
    pub fn body<T: JsonSchema>(&mut self, media_type: &str) {
        let schema = self.schemas.taken::<T>().to_value();
        let required = self.need == Need::Required;
        self.body = Some(json!({
            "required": required,
            "content": {media_type: {"schema": schema}},
        }));
    }

    /// Its body is taken as it is; none is an empty one.
    pub fn raw_body(&mut self, media_type: &str, schema: &Value) {
        self.body = Some(json!({"content": {media_type: {"schema": schema}}}));
    }

    /// What `describe` says of the request may also be missing.
    pub fn optional(&mut self, describe: impl FnOnce(&mut Self)) {
        let need = std::mem::replace(&mut self.need, Need::Optional);
        describe(self);
        self.need = need;
    }

    /// It is answered with a `T` of this media type.
    pub fn answer<T: JsonSchema>(&mut self, media_type: &str) {
        let schema = self.schemas.given::<T>();
        let resolved = self.schemas.resolve(&schema);
        let said = resolved.get("description").and_then(Value::as_str);
        let description = said.unwrap_or("The answer").to_owned();
        let content = json!({media_type: {"schema": schema}});
        self.respond(&self.status.clone(), &description, content);
    }

    /// It is answered with a body of this media type, of which no more is known than this schema.
    pub fn raw_answer(&mut self, media_type: &str, schema: &Value) {
        let content = json!({media_type: {"schema": schema}});
        self.respond(&self.status.clone(), "The answer", content);
    }

    /// It is answered without a body.
    pub fn empty_answer(&mut self, description: &str) {
        self.respond(&self.status.clone(), description, Value::Null);
    }

    /// What `describe` says is answered with this status, instead of 200.
    pub fn with_status(&mut self, status: StatusCode, describe: impl FnOnce(&mut Self)) {
        self.under(status.as_str(), describe);
    }

    /// What `describe` says is answered with a status that the types do not tell.
    pub fn with_any_status(&mut self, describe: impl FnOnce(&mut Self)) {
        self.under(DEFAULT, describe);
    }

    /// It can fail with this status, and a [`Problem`](crate::Problem) says so. Several descriptions of one status are joined.
    pub fn problem(&mut self, status: StatusCode, description: &str) {
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let content = json!({PROBLEM_JSON: {"schema": schema}});
        self.respond(status.as_str(), description, content);
    }

    /// A schema of `T`, as it is in a request.
    #[must_use]
    pub fn schema<T: JsonSchema>(&mut self) -> Schema {
        self.schemas.taken::<T>()
    }

    fn under(&mut self, status: &str, describe: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.status, status.to_owned());
        describe(self);
        self.status = before;
    }

    fn respond(&mut self, status: &str, description: &str, content: Value) {
        let response = self
            .responses
            .entry(status)
            .or_insert_with(|| json!({"description": description}));
        let said = response["description"].as_str().unwrap_or_default();
        if !said.contains(description) {
            response["description"] = format!("{said}; {description}").into();
        }
        let Value::Object(content) = content else {
            return;
        };
        for (media_type, value) in content {
            if response["content"][&media_type].is_null() {
                response["content"][media_type] = value;
            }
        }
    }

    /// The parameters of the path that no type has described.
    pub(super) fn complete_path(&mut self) {
        for name in self.names {
            let known = |other: &Value| other["in"] == "path" && other["name"] == name.as_str();
            if !self.parameters.iter().any(known) {
                let text = json!({"type": "string"});
                self.parameters.push(parameter("path", name, text, true));
            }
        }
    }
}

fn parameter(place: &str, name: &str, mut schema: Value, required: bool) -> Value {
    let description = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"in": place, "name": name, "required": required, "schema": schema});
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

/// Adds a parameter, in the place of one of its name.
fn push(parameters: &mut Vec<Value>, new: Value) {
    parameters.retain(|old| old["in"] != new["in"] || old["name"] != new["name"]);
    parameters.push(new);
}

/// A query has no way to write null: what may be null may be missing.
fn without_null(mut schema: Value) -> Value {
    let null = json!({"type": "null"});
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(all)) = schema.get_mut("anyOf") {
        all.retain(|one| *one != null);
        if let [only] = &all[..] {
            return only.clone();
        }
    }
    if schema.get("default").is_some_and(Value::is_null)
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("default");
    }
    schema
}
