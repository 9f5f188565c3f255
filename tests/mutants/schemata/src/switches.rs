//! Mutants put into a source file, each behind a switch of its own.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{LineColumn, Span};
use quote::ToTokens;
use serde_json::Value;
use syn::{
    parse_quote, parse_str, spanned::Spanned, visit_mut, visit_mut::VisitMut, BinOp, Block, Expr,
    UnOp,
};

/// Where a mutant begins: line from 1, column from 0.
type Place = (usize, usize);

/// One mutant as cargo-mutants lists it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its number in the list, from 1.
    pub id: u32,
    /// The file, from the root of the repository.
    pub file: String,
    /// The name under which cargo-mutants reports it.
    pub name: String,
    genre: String,
    replacement: String,
    place: Place,
}

impl Mutant {
    /// The tests that are likeliest to notice it: those of its own module, as a filter.
    pub fn module(&self) -> String {
        let path = self.file.split("/src/").nth(1).unwrap_or_default();
        let first = path.split(['/', '.']).next().unwrap_or_default();
        format!("{first}::")
    }
}

/// The mutants of a list in JSON, as `cargo mutants --list --json` writes it.
pub fn listed(json: &str) -> Result<Vec<Mutant>, String> {
    let list: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mutants = list.as_array().ok_or("not a list of mutants")?;
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let number = |of: &Value| usize::try_from(of.as_u64().unwrap_or(1)).unwrap_or(1);
    Ok(mutants
        .iter()
        .zip(1..)
        .map(|(mutant, id)| Mutant {
            id,
            file: text(mutant, "file"),
            name: text(mutant, "name"),
            genre: text(mutant, "genre"),
            replacement: text(mutant, "replacement"),
            place: (
                number(&mutant["span"]["start"]["line"]),
                number(&mutant["span"]["start"]["column"]).saturating_sub(1),
            ),
        })
        .collect())
}

/// The source with all these mutants in it, and the numbers of those that were put in.
pub fn with_switches(source: &str, mutants: &[Mutant]) -> Result<(String, BTreeSet<u32>), String> {
    let mut file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut places: BTreeMap<(String, Place), Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants {
        let key = (mutant.genre.clone(), mutant.place);
        places.entry(key).or_default().push(mutant.clone());
    }
    let mut switches = Switches {
        places,
        placed: BTreeSet::new(),
    };
    switches.visit_file_mut(&mut file);
    Ok((prettyplease::unparse(&file), switches.placed))
}

struct Switches {
    places: BTreeMap<(String, Place), Vec<Mutant>>,
    placed: BTreeSet<u32>,
}

impl Switches {
    fn at(&mut self, genre: &str, span: Span) -> Vec<Mutant> {
        let LineColumn { line, column } = span.start();
        let key = (genre.to_owned(), (line, column));
        let found = self.places.get(&key).cloned().unwrap_or_default();
        self.placed.extend(found.iter().map(|mutant| mutant.id));
        found
    }

    fn function(&mut self, block: &mut Block) {
        let whole = match block.stmts.first() {
            Some(first) => self.at("FnValue", first.span()),
            None => Vec::new(),
        };
        visit_mut::visit_block_mut(self, block);
        for mutant in whole.iter().rev() {
            let (id, value) = (mutant.id, expression(&mutant.replacement));
            block.stmts.insert(
                0,
                parse_quote!(if crate::switch::on(#id) { return #value; }),
            );
        }
    }
}

fn expression(text: &str) -> Expr {
    parse_str(text).unwrap_or_else(|_| parse_quote!(()))
}

/// `otherwise`, unless a switch is on: then what its mutant has instead.
fn chosen(mutants: &[(u32, Expr)], otherwise: Expr) -> Expr {
    let mut expr = otherwise;
    for (id, instead) in mutants.iter().rev() {
        expr = parse_quote!((if crate::switch::on(#id) { #instead } else { #expr }));
    }
    expr
}

impl VisitMut for Switches {
    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        self.function(&mut item.block);
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        self.function(&mut item.block);
    }

    fn visit_trait_item_fn_mut(&mut self, item: &mut syn::TraitItemFn) {
        if let Some(block) = &mut item.default {
            self.function(block);
        }
    }

    // Calculated while compiling, when no switch is on.
    fn visit_item_const_mut(&mut self, _: &mut syn::ItemConst) {}
    fn visit_item_static_mut(&mut self, _: &mut syn::ItemStatic) {}
    fn visit_impl_item_const_mut(&mut self, _: &mut syn::ImplItemConst) {}

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        let deleted = self.at("MatchArm", arm.pat.span());
        let guards = match &arm.guard {
            Some((_, guard)) => self.at("MatchArmGuard", guard.span()),
            None => Vec::new(),
        };
        visit_mut::visit_arm_mut(self, arm);
        if let Some((_, guard)) = &mut arm.guard {
            let instead: Vec<_> = guards
                .iter()
                .map(|mutant| (mutant.id, expression(&mutant.replacement)))
                .collect();
            **guard = chosen(&instead, (**guard).clone());
        }
        for mutant in deleted {
            let id = mutant.id;
            let guard: Expr = match arm.guard.take() {
                Some((_, guard)) => parse_quote!(!crate::switch::on(#id) && (#guard)),
                None => parse_quote!(!crate::switch::on(#id)),
            };
            arm.guard = Some((Default::default(), Box::new(guard)));
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let mutants = match &*expr {
            Expr::Binary(binary) => self.at("BinaryOperator", binary.op.span()),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                self.at("UnaryOperator", unary.op.span())
            }
            _ => Vec::new(),
        };
        let fields: Vec<_> = match &*expr {
            Expr::Struct(literal) if literal.rest.is_some() => literal
                .fields
                .iter()
                .map(|field| self.at("StructField", field.span()))
                .collect(),
            _ => Vec::new(),
        };
        visit_mut::visit_expr_mut(self, expr);
        let mut instead = Vec::new();
        for mutant in &mutants {
            let other: Expr = match &*expr {
                Expr::Binary(binary) => {
                    let (left, right) = (&binary.left, &binary.right);
                    let Ok(op) = parse_str::<BinOp>(&mutant.replacement) else {
                        continue;
                    };
                    parse_quote!((#left) #op (#right))
                }
                Expr::Unary(unary) => (*unary.expr).clone(),
                _ => continue,
            };
            instead.push((mutant.id, other));
        }
        if !instead.is_empty() {
            *expr = chosen(&instead, expr.clone());
        }
        if let Expr::Struct(literal) = expr {
            let rest = literal.rest.clone();
            for (field, mutants) in literal.fields.iter_mut().zip(fields) {
                for mutant in mutants {
                    let (id, value, member) = (mutant.id, &field.expr, &field.member);
                    let rest = rest.to_token_stream();
                    field.expr = parse_quote!((if crate::switch::on(#id) { (#rest).#member } else { #value }));
                    field.colon_token = Some(Default::default());
                }
            }
        }
    }
}
