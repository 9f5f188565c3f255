//! How wide the chain's native balances are: functions of the runtime take and give them as bytes.

use breakwater_chain::Balance;
use scale::{Decode, Encode};
use serde_json::Value;
use subxt::metadata::Metadata;

use crate::connection::Fault;

/// Decimals of the native token where the chain says nothing: those of the contracts node.
const DECIMALS: u8 = 12;

/// The native token's decimals by a chain's properties. Where there are several tokens, the first is
/// the native one.
pub(crate) fn decimals(property: Option<&Value>) -> u8 {
    let first = match property {
        Some(Value::Array(all)) => all.first(),
        other => other,
    };
    let decimals = first.and_then(Value::as_u64);
    decimals
        .and_then(|decimals| u8::try_from(decimals).ok())
        .unwrap_or(DECIMALS)
}

/// Width of native balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Bits64,
    Bits128,
}

impl Width {
    /// That of the balances pallet's own constant, which every chain with native balances has.
    pub(crate) fn of(metadata: &Metadata) -> Result<Self, Fault> {
        let pallet = metadata.pallet_by_name("Balances");
        let least = pallet.and_then(|pallet| pallet.constant_by_name("ExistentialDeposit"));
        match least.map(|least| least.value().len()) {
            Some(8) => Ok(Self::Bits64),
            Some(16) => Ok(Self::Bits128),
            Some(bytes) => Err(Fault::Other(format!(
                "its native balances have {bytes} bytes; chains with 8 and 16 can be used"
            ))),
            None => Err(Fault::Other(
                "it does not tell the width of native balances; it needs pallet-balances"
                    .to_owned(),
            )),
        }
    }

    /// How many bits.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Bits64 => u64::BITS,
            Self::Bits128 => u128::BITS,
        }
    }

    /// The largest balance.
    pub(crate) fn most(self) -> Balance {
        match self {
            Self::Bits64 => u64::MAX.into(),
            Self::Bits128 => u128::MAX,
        }
    }

    /// An amount to be paid, which must not become another one.
    pub(crate) fn amount(self, amount: Balance) -> Result<Native, Fault> {
        if amount > self.most() {
            let bits = self.bits();
            return Err(Fault::Other(format!(
                "{amount} is more than its native balances of {bits} bits hold"
            )));
        }
        Ok(Native {
            width: self,
            amount,
        })
    }

    /// A limit: one beyond every balance limits as much as the largest balance.
    pub(crate) fn limit(self, limit: Balance) -> Native {
        Native {
            width: self,
            amount: limit.min(self.most()),
        }
    }

    /// Reads an amount.
    pub(crate) fn decode(self, input: &mut &[u8]) -> Result<Balance, scale::Error> {
        match self {
            Self::Bits64 => u64::decode(input).map(Balance::from),
            Self::Bits128 => u128::decode(input),
        }
    }
}

/// An amount that is encoded as the chain does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Native {
    width: Width,
    /// Within the width.
    amount: Balance,
}

impl Encode for Native {
    fn size_hint(&self) -> usize {
        16
    }

    fn encode_to<O: scale::Output + ?Sized>(&self, to: &mut O) {
        let bytes = self.amount.to_le_bytes();
        let (low, _) = bytes.split_at(8);
        to.write(match self.width {
            Width::Bits64 => low,
            Width::Bits128 => &bytes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scale_info::{meta_type, TypeInfo};
    use subxt::ext::frame_metadata::v15::*;
    use subxt::ext::frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, META_RESERVED};

    /// Metadata of a runtime whose existential deposit is one.
    fn metadata<B: TypeInfo + Encode + From<u8> + 'static>(pallet: &'static str) -> Metadata {
        let nothing = meta_type::<()>();
        let constant = PalletConstantMetadata {
            name: "ExistentialDeposit",
            ty: meta_type::<B>(),
            value: B::from(1).encode(),
            docs: Vec::new(),
        };
        let balances = PalletMetadata {
            name: pallet,
            storage: None,
            calls: None,
            event: None,
            constants: vec![constant],
            error: None,
            index: 0,
            docs: Vec::new(),
        };
        let extrinsic = ExtrinsicMetadata {
            version: 4,
            address_ty: nothing,
            call_ty: nothing,
            signature_ty: nothing,
            extra_ty: nothing,
            signed_extensions: Vec::new(),
        };
        let enums = OuterEnums {
            call_enum_ty: nothing,
            event_enum_ty: nothing,
            error_enum_ty: nothing,
        };
        let custom = CustomMetadata {
            map: Default::default(),
        };
        let metadata = RuntimeMetadataV15::new(
            vec![balances],
            extrinsic,
            nothing,
            Vec::new(),
            enums,
            custom,
        );
        let metadata =
            RuntimeMetadataPrefixed(META_RESERVED, RuntimeMetadata::V15(metadata)).encode();
        Metadata::decode(&mut metadata.as_slice()).expect("is metadata")
    }

    #[test]
    fn the_width_is_that_of_the_metadata() {
        assert_eq!(Width::of(&metadata::<u64>("Balances")), Ok(Width::Bits64));
        assert_eq!(Width::of(&metadata::<u128>("Balances")), Ok(Width::Bits128));
        for (other, reason) in [
            (metadata::<u32>("Balances"), "4 bytes"),
            (metadata::<u128>("Assets"), "needs pallet-balances"),
        ] {
            let Err(Fault::Other(text)) = Width::of(&other) else {
                panic!("a width");
            };
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn decimals_are_those_of_the_chains_properties() {
        let json = |text: &str| serde_json::from_str(text).expect("is JSON");
        for (property, expected) in [
            (Some("10"), 10),
            (Some("[18, 6]"), 18),
            (Some("[]"), 12),
            (Some("null"), 12),
            (Some("\"10\""), 12),
            (None, 12),
        ] {
            let property: Option<Value> = property.map(json);
            assert_eq!(decimals(property.as_ref()), expected, "{property:?}");
        }
    }

    #[test]
    fn an_amount_is_encoded_and_read_at_its_width_and_never_cut() {
        let amount = 0x0102_0304_0506_0708;
        for (width, bytes) in [(Width::Bits64, 8), (Width::Bits128, 16)] {
            let encoded = width.amount(amount).expect("fits").encode();
            assert_eq!(encoded.len(), bytes);
            assert_eq!(width.decode(&mut encoded.as_slice()), Ok(amount));
            assert_eq!(Some(width.limit(amount)).encode()[1..], encoded);
        }
        let beyond = Balance::from(u64::MAX) + 1;
        let Err(Fault::Other(text)) = Width::Bits64.amount(beyond) else {
            panic!("fits");
        };
        assert!(text.contains("64 bits"), "{text}");
        assert_eq!(
            Width::Bits64.limit(beyond).encode(),
            u64::MAX.encode(),
            "a limit beyond all is none"
        );
        assert_eq!(Width::Bits128.limit(beyond).encode(), beyond.encode());
    }
}
