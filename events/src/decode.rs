//! Reads one variant of a fact enum when its name and its payload come apart, as they do in an envelope.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, VariantAccess, Visitor};
use std::cell::Cell;

/// Why a payload is not a fact we know.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A newer writer's fact, or not one of ours: pass over it and count it.
    #[error("unknown event type `{0}`")]
    UnknownType(String),
    /// The payload does not fit its type.
    #[error("malformed payload of `{type_name}`")]
    Malformed {
        /// The type it claimed.
        type_name: String,
        /// What did not fit.
        #[source]
        source: serde_json::Error,
    },
}

pub(crate) struct VariantError {
    known: bool,
    source: serde_json::Error,
}

impl VariantError {
    pub(crate) fn of_type(self, type_name: &str) -> DecodeError {
        let type_name = type_name.to_owned();
        if self.known {
            DecodeError::Malformed { type_name, source: self.source }
        } else {
            DecodeError::UnknownType(type_name)
        }
    }
}

/// Reads the variant called `name` of an externally tagged enum from `data`.
pub(crate) fn variant<T: DeserializeOwned>(name: &str, data: &[u8]) -> Result<T, VariantError> {
    let known = Cell::new(false);
    T::deserialize(Tagged { name, data, known: &known }).map_err(|source| VariantError { known: known.get(), source })
}

struct Tagged<'a> {
    name: &'a str,
    data: &'a [u8],
    known: &'a Cell<bool>,
}

impl<'de> de::Deserializer<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only a fact enum can be read here"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Self::Error> {
        let value = seed.deserialize(BorrowedStrDeserializer::<Self::Error>::new(self.name))?;
        self.known.set(true);
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut payload = serde_json::Deserializer::from_slice(self.data);
        let value = de::Deserializer::deserialize_struct(&mut payload, "payload", fields, visitor)?;
        payload.end()?;
        Ok(value)
    }

    fn unit_variant(self) -> Result<(), Self::Error> {
        Err(de::Error::custom("a fact carries an object"))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        let mut payload = serde_json::Deserializer::from_slice(self.data);
        let value = seed.deserialize(&mut payload)?;
        payload.end()?;
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("a fact carries an object"))
    }
}
