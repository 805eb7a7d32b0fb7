//! The document of an application, put together from its routes.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::described::{Sheet, Told};
use super::operation::{Operation, PROBLEM_JSON};
use super::schemas::Schemas;
use super::settings::OpenApi;
use crate::routing::Stop;

/// The methods that a path of the document may have.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// What a handler for all methods is listed with.
const EVERYDAY: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// A route of an application.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    pub(crate) path: &'a str,
    pub(crate) stop: &'a Arc<Stop>,
}

/// The document of an application with these routes.
pub(crate) fn document(settings: &OpenApi, routes: &[Route<'_>]) -> Value {
    let mut paths = Paths::new();
    // A method of its own goes over what answers all of them.
    let (any, some): (Vec<_>, Vec<_>) = routes.iter().partition(|route| is_any(route));
    for route in some.iter().chain(&any) {
        paths.add(route);
    }
    let mut document = settings.head();
    document["paths"] = Value::Object(paths.items);
    document["components"] = components();
    paths.schemas.finish(&mut document);
    settings.customized(document)
}

fn is_any(route: &Route<'_>) -> bool {
    route.stop.methods().0 == "*"
}

/// The paths as far as they are described.
struct Paths {
    items: Map<String, Value>,
    ids: HashSet<String>,
    schemas: Schemas,
}

impl Paths {
    fn new() -> Self {
        Self {
            items: Map::new(),
            ids: HashSet::new(),
            schemas: Schemas::new(),
        }
    }

    fn add(&mut self, route: &Route<'_>) {
        let told = route.stop.description().map(|description| &description.0);
        if !route.path.starts_with('/') || matches!(told, Some(Told::Hidden)) {
            return;
        }
        let (template, names) = template(route.path);
        for method in methods(route) {
            let item = self.items.get(&template);
            if item.is_some_and(|item| item.get(&method).is_some()) {
                continue;
            }
            let operation = self.operation(route, &method, &names);
            let item = self.items.entry(template.clone());
            item.or_insert_with(|| json!({}))[method] = operation;
        }
    }

    fn operation(&mut self, route: &Route<'_>, method: &str, names: &[String]) -> Value {
        let mut operation = Operation::new(method, names, &mut self.schemas);
        let told = route.stop.description().map(|description| &description.0);
        let mut json = json!({"x-siding-lane": route.stop.declaration().lane.as_str()});
        let mut id = None;
        if let Some(Told::Described(sheet, describe)) = told {
            describe(&mut operation);
            sheet.notes.iter().for_each(|note| note(&mut operation));
            write_sheet(sheet, &mut json);
            id = sheet.operation_id.clone();
        } else {
            operation.with_any_status(|operation| operation.empty_answer("Not described"));
        }
        operation.complete_path();
        for (status, name) in [("500", "Failed"), ("503", "Busy"), ("504", "TooLate")] {
            let shared = || json!({"$ref": format!("#/components/responses/{name}")});
            operation.responses.entry(status).or_insert_with(shared);
        }
        json["responses"] = Value::Object(operation.responses);
        if !operation.parameters.is_empty() {
            json["parameters"] = Value::Array(operation.parameters);
        }
        if let Some(body) = operation.body {
            json["requestBody"] = body;
        }
        let id = id.unwrap_or_else(|| operation_id(method, route.path));
        json["operationId"] = unique(&mut self.ids, id).into();
        json
    }
}

fn write_sheet(sheet: &Sheet, json: &mut Value) {
    if let Some(summary) = &sheet.summary {
        json["summary"] = summary.as_str().into();
    }
    if let Some(description) = &sheet.description {
        json["description"] = description.as_str().into();
    }
    if !sheet.tags.is_empty() {
        json["tags"] = sheet.tags.clone().into();
    }
    if sheet.deprecated {
        json["deprecated"] = true.into();
    }
    if !sheet.security.is_empty() {
        let schemes = sheet.security.iter().map(|scheme| json!({scheme: []}));
        json["security"] = schemes.collect();
    }
}

fn methods(route: &Route<'_>) -> Vec<String> {
    if is_any(route) {
        return EVERYDAY.map(str::to_owned).to_vec();
    }
    let methods = route.stop.methods().0.to_ascii_lowercase();
    let known = |method: &&str| METHODS.contains(method);
    methods
        .split(',')
        .filter(known)
        .map(str::to_owned)
        .collect()
}

/// The path as the document has it, `/files/{rest}` of `/files/{*rest}`, and the names of its parameters.
fn template(path: &str) -> (String, Vec<String>) {
    let path = path.replace("{*", "{");
    let parts = path.split('{').skip(1);
    let names = parts.filter_map(|part| part.split_once('}'));
    let names = names.map(|(name, _)| name.to_owned()).collect();
    (path, names)
}

/// A name for generated clients: `get_users_by_id` of `GET /users/{id}`.
fn operation_id(method: &str, path: &str) -> String {
    let mut id = method.to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        id.push('_');
        if segment.starts_with('{') {
            id.push_str("by_");
        }
        let segment = segment.trim_matches(['{', '*', '}']);
        id.extend(segment.chars().map(|c| match c.is_ascii_alphanumeric() {
            true => c,
            false => '_',
        }));
    }
    id
}

/// The id, or with a number behind it where it is taken.
fn unique(taken: &mut HashSet<String>, id: String) -> String {
    let numbered = (2..).map(|number| format!("{id}_{number}"));
    let mut candidates = std::iter::once(id.clone()).chain(numbered);
    let free = candidates.find(|candidate| taken.insert(candidate.clone()));
    free.unwrap_or(id)
}

/// What every application's routes may answer.
fn components() -> Value {
    let problem = |description: &str| {
        json!({
            "description": description,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        })
    };
    let mut busy = problem("The lane is full, or the server is shutting down");
    busy["headers"] = json!({"Retry-After": {
        "description": "Seconds after which to try again",
        "schema": {"type": "integer", "minimum": 1},
    }});
    json!({
        "responses": {
            "Failed": problem("The server failed; its log has the cause under the instance's id"),
            "Busy": busy,
            "TooLate": problem("There was no answer within the request's deadline"),
        },
        "schemas": {"Problem": problem_schema(), "Fault": fault_schema()},
    })
}

/// The schema of [`Problem`](crate::Problem), with the `errors` of [`Invalid`](crate::Invalid).
fn problem_schema() -> Value {
    json!({
        "description": "What went wrong (RFC 9457)",
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 100, "maximum": 999},
            "detail": {"type": "string"},
            "instance": {"type": "string", "format": "uri-reference"},
            "errors": {
                "description": "What is wrong with the request, place by place",
                "type": "array",
                "items": {"$ref": "#/components/schemas/Fault"},
            },
        },
    })
}

fn fault_schema() -> Value {
    json!({
        "description": "One fault of a request",
        "type": "object",
        "required": ["in", "detail"],
        "properties": {
            "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
            "pointer": {"type": "string", "description": "Where in the body, as a JSON pointer in a URI's fragment"},
            "name": {"type": "string", "description": "The parameter or header"},
            "detail": {"type": "string", "description": "What would be right"},
        },
    })
}
