//! Everything that is open.

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use super::load::Loaded;
use super::{Args, Format, finish};
use crate::reach::matrix::{Limited, Matrix, Scope, TooLarge, name};
use crate::reach::question::{Asked, Meant};
use crate::reach::{Reach, possible};
use crate::report::reach::{csv, graph, json, svg, table};

pub(super) fn run(args: &Args, loaded: &mut Loaded, context: &mut Context) -> Result<Exit, Error> {
    let (from, to) = (limited(args.from.as_ref(), loaded)?, limited(args.to.as_ref(), loaded)?);
    if args.possible {
        possible::add(&mut loaded.mesh);
    }
    let reach = Reach::new(&loaded.mesh);
    let scope = Scope { from, to, possible: args.possible };
    let matrix = Matrix::new(&reach, &scope).map_err(too_large)?;
    let scene = loaded.scene();
    let text = match args.format {
        Format::Table => table::matrix(&matrix, &scene),
        Format::Json => json::matrix(&matrix, &scene),
        Format::Csv => csv::matrix(&matrix, &scene),
        Format::Dot => graph::dot(&matrix, &scene),
        Format::Mermaid => graph::mermaid(&matrix, &scene),
        Format::Svg => svg::matrix(&matrix, &scene).ok_or_else(|| too_large(TooLarge))?,
    };
    context.print(text)?;
    finish(loaded, Exit::Clean, context)
}

pub(super) fn too_large(_: TooLarge) -> Error {
    Error::new("the matrix is too large").help("name a part of it with `--from` or `--to`")
}

/// One side of what is asked. A service is the pods behind it.
fn limited(asked: Option<&Asked>, loaded: &mut Loaded) -> Result<Option<Limited>, Error> {
    let Some(asked) = asked else { return Ok(None) };
    let meant = asked.meant(&mut loaded.mesh, &loaded.services).map_err(Error::new)?;
    let Meant { endpoints, outside, services } = meant;
    let behind = services.iter().flat_map(|at| loaded.services[*at].backends.iter().copied());
    let names = endpoints.into_iter().chain(behind).map(|id| name(&loaded.mesh, id)).collect();
    Ok(Some(Limited { names, outside }))
}
