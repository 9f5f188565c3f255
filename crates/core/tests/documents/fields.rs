//! The fields of a type and their values, from its own description: nothing to keep in step.

use scale::{Decode, Encode};
use scale_info::form::PortableForm;
use scale_info::{
    Field, MetaType, PortableRegistry, Registry, TypeDef, TypeDefPrimitive, TypeInfo,
};

/// One field, by the type it belongs to; of a variant's field the name is `Variant.field`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOf {
    pub owner: String,
    pub name: String,
    /// As the documentation writes it; none where the fields were asked for without a value.
    pub value: Option<String>,
}

/// Every named field of `T`, and of the types of this crate that it is made of.
pub fn names<T: TypeInfo + 'static>() -> Vec<FieldOf> {
    let mut registry = Registry::new();
    registry.register_type(&MetaType::new::<T>());
    let types = PortableRegistry::from(registry);
    let mut found = Vec::new();
    for described in &types.types {
        let path = &described.ty.path;
        if path.namespace().first().map(String::as_str) != Some("breakwater_core") {
            continue;
        }
        let owner = path.ident().unwrap_or_default();
        let mut add = |prefix: &str, fields: &[Field<PortableForm>]| {
            for name in fields.iter().filter_map(|field| field.name.as_ref()) {
                found.push(FieldOf {
                    owner: owner.clone(),
                    name: format!("{prefix}{name}"),
                    value: None,
                });
            }
        };
        match &described.ty.type_def {
            TypeDef::Composite(composite) => add("", &composite.fields),
            TypeDef::Variant(variants) => {
                for variant in &variants.variants {
                    add(&format!("{}.", variant.name), &variant.fields);
                }
            }
            _ => {}
        }
    }
    found
}

/// Every named field of a value, and of those it is made of, with what it holds.
pub fn values<T: TypeInfo + Encode + 'static>(value: &T) -> Vec<FieldOf> {
    let mut registry = Registry::new();
    let root = registry.register_type(&MetaType::new::<T>()).id;
    let mut reader = Reader {
        types: PortableRegistry::from(registry),
        bytes: &value.encode(),
        found: Vec::new(),
    };
    reader.read(root, "");
    assert!(reader.bytes.is_empty(), "bytes are left over");
    reader.found
}

struct Reader<'a> {
    types: PortableRegistry,
    bytes: &'a [u8],
    found: Vec<FieldOf>,
}

impl Reader<'_> {
    fn number<N: Decode>(&mut self) -> N {
        N::decode(&mut self.bytes).expect("the value fits its own description")
    }

    /// Reads one value and returns how the documentation writes it.
    fn read(&mut self, id: u32, type_name: &str) -> String {
        let described = self.types.resolve(id).expect("registered").clone();
        let name = described.path.ident().unwrap_or_default();
        match described.type_def {
            TypeDef::Composite(composite) => match (name.as_str(), composite.fields.as_slice()) {
                ("Ratio", _) => percent(self.number()),
                ("Amount", _) => whole_quote(self.number()),
                (_, [only]) if only.name.is_none() => self.read(only.ty.id, ""),
                (_, fields) => {
                    self.fields(&name, "", fields);
                    String::new()
                }
            },
            TypeDef::Variant(variants) => {
                let index: u8 = self.number();
                let variant = variants.variants.into_iter().find(|one| one.index == index);
                let variant = variant.expect("a variant of the type");
                self.fields(&name, &format!("{}.", variant.name), &variant.fields);
                format!("`{}`", variant.name)
            }
            TypeDef::Array(array) => (0..array.len)
                .map(|_| self.read(array.type_param.id, ""))
                .collect::<Vec<_>>()
                .join(", "),
            TypeDef::Primitive(TypeDefPrimitive::U8) => self.number::<u8>().to_string(),
            TypeDef::Primitive(TypeDefPrimitive::U16) => self.number::<u16>().to_string(),
            TypeDef::Primitive(TypeDefPrimitive::U32) => grouped(self.number::<u32>().into()),
            TypeDef::Primitive(TypeDefPrimitive::U64) => time(self.number()),
            TypeDef::Primitive(TypeDefPrimitive::U128) => grouped(self.number()),
            other => panic!("{type_name}: no way to write {other:?}"),
        }
    }

    fn fields(&mut self, owner: &str, prefix: &str, fields: &[Field<PortableForm>]) {
        for field in fields {
            let value = self.read(field.ty.id, field.name.as_deref().unwrap_or_default());
            if let Some(name) = &field.name {
                self.found.push(FieldOf {
                    owner: owner.to_owned(),
                    name: format!("{prefix}{name}"),
                    value: Some(value),
                });
            }
        }
    }
}

/// Parts per million as a percentage without trailing zeros.
fn percent(ppm: u32) -> String {
    let digits = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    let short = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{short} %")
}

/// Base units of a token with six decimals, which all examples are in, as whole tokens.
fn whole_quote(units: u128) -> String {
    assert_eq!(units % 1_000_000, 0, "not a whole number of tokens");
    grouped(units / 1_000_000)
}

/// Milliseconds in the largest unit that divides them.
pub fn time(millis: u64) -> String {
    match millis {
        0 => "0".to_owned(),
        day if day % 86_400_000 == 0 => match day / 86_400_000 {
            1 => "1 day".to_owned(),
            days => format!("{} days", grouped(days.into())),
        },
        hour if hour % 3_600_000 == 0 => format!("{} h", grouped(u128::from(hour / 3_600_000))),
        other => format!("{} ms", grouped(other.into())),
    }
}

/// A number with commas between thousands.
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
