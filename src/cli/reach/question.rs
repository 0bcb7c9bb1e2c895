//! One question, with its decision path.

use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use super::load::Loaded;
use super::{Args, Format, finish};
use crate::reach::Reach;
use crate::reach::explain::{Answer, Decision, answers};
use crate::reach::question::{Asked, Meant};
use crate::report::reach::{answers as human, json};

/// Most answers to one question.
const MOST: usize = 100_000;

pub(super) fn run(args: &Args, loaded: &mut Loaded, context: &mut Context) -> Result<Exit, Error> {
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Error::new("a question needs `--from` and `--to`"));
    };
    let (from, to) = (meant(from, loaded)?, meant(to, loaded)?);
    if !from.services.is_empty() {
        let help = "name the workload behind it: connections begin at pods";
        return Err(Error::new("a service begins no connection").help(help));
    }
    if args.port.is_none() && to.services.is_empty() {
        let help = "name one, such as `--port 8080`";
        return Err(Error::new("a question about a workload needs a port").help(help));
    }
    let sides = |meant: &Meant| meant.endpoints.len() + meant.outside.len();
    if sides(&from).saturating_mul(sides(&to) + to.services.len()) > MOST {
        let message = format!("the question has more than {MOST} answers");
        return Err(Error::new(message).help("name a workload or a cluster"));
    }
    let reach = Reach::new(&loaded.mesh);
    let answers = answers(&reach, &loaded.services, &from, &to, args.port);
    if answers.is_empty() {
        return Err(nothing(&from, &to));
    }
    let scene = loaded.scene();
    let text = match args.format {
        Format::Table => human::write(&answers, &scene),
        Format::Json => json::answers(&answers, &scene),
        Format::Csv | Format::Dot | Format::Mermaid | Format::Svg => {
            let error = Error::new("a question with a port has no such format");
            return Err(error.help("use `table` or `json`, or leave `--port` out for the matrix"));
        }
    };
    context.print(text)?;
    finish(loaded, exit(&answers), context)
}

fn meant(asked: &Asked, loaded: &mut Loaded) -> Result<Meant, Error> {
    asked.meant(&mut loaded.mesh, &loaded.services).map_err(Error::new)
}

/// Why there is no answer at all.
fn nothing(from: &Meant, to: &Meant) -> Error {
    if from.endpoints.is_empty() && to.endpoints.is_empty() && to.services.is_empty() {
        return Error::new("neither side is in the mesh, and no policy decides between them");
    }
    let message = "no pod behind the service can be reached on this port";
    Error::new(message).help("name a port of the service, and a source in one of its clusters")
}

fn exit(answers: &[Answer<'_>]) -> Exit {
    match answers.iter().map(Answer::decision).max() {
        Some(Decision::Denied) => Exit::Findings,
        Some(Decision::Unknown) => Exit::Incomplete,
        Some(Decision::Allowed) | None => Exit::Clean,
    }
}
