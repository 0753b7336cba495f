//! What the document says of whatever is read with a tag: that it may be asked for only if it has changed.

use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Response, schema};

/// Declares the condition and the answer to it.
pub(super) fn tags(method: &HttpMethod, operation: &mut Operation) {
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
