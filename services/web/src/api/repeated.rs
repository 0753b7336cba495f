//! What the document says of every request that is sent again: a key for what does something, a tag for what is read.

use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Response, schema};

const KEY: &str = "Idempotency-Key";

/// Declares the headers that an operation reads because of what it is.
pub(super) fn headers(method: &HttpMethod, operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let has_key = parameters.iter().any(|one| matches!(one, RefOr::T(parameter) if parameter.name == KEY));
    if *method == HttpMethod::Post && !has_key {
        parameters.push(
            header(KEY, "Does the same once within a day, however often it is sent, and answers the same").into(),
        );
    }
    let tagged = matches!(operation.responses.responses.get("200"), Some(RefOr::T(answer)) if answer.headers.contains_key("ETag"));
    if *method == HttpMethod::Get && tagged {
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(header("If-None-Match", "The entity tags of what the caller has").into());
        let unchanged = Response::new("The caller has it as it is");
        operation.responses.responses.insert("304".to_owned(), unchanged.into());
    }
}

fn header(name: &str, description: &str) -> Parameter {
    let text = ObjectBuilder::new().schema_type(schema::Type::String);
    let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
    header.description(Some(description)).schema(Some(text)).build()
}
