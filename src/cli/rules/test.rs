//! `landbridge rules test`.

use std::path::{Path, PathBuf};

use super::super::args::Output;
use super::super::context::Context;
use super::super::error::Error;
use super::super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::report::samples::Samples;
use crate::report::{Format, Report};
use crate::source::SourceMap;
use crate::spec::Spec;
use crate::spec::load::{self, Files};
use crate::system::os::OsSystem;
use crate::validate::builtin;
use crate::validate::policy;
use crate::yaml;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files with policies; without one, the project's own and the built-in policies
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let mut spec = Spec::default();
    for path in &args.files {
        read(path, &mut spec, &mut sources, &mut found)?;
    }
    if args.files.is_empty() && context.has_project() {
        spec = load::project(&context.project()?, &mut sources, &mut found);
    }
    spec.sort();
    let broken = found.has_errors();
    let mut policies = policy::own(&spec);
    if args.files.is_empty() {
        policies.extend(builtin::all());
    }
    let samples = Samples::run(&policies, &sources);
    let failed = |error| Error::new("the results cannot be written").cause(error);
    context.print(match args.output.format {
        Format::Human => samples.human(),
        Format::Json => samples.json().map_err(failed)?,
    })?;
    // Whatever else is wrong with the files may keep a policy from being tested.
    context.complain(&Report::new(found, &sources))?;
    Ok(if broken || !samples.is_fine() { Exit::Findings } else { Exit::Clean })
}

/// Reads the policies of a file.
fn read(
    path: &Path,
    spec: &mut Spec,
    sources: &mut SourceMap,
    found: &mut Diagnostics,
) -> Result<(), Error> {
    let failed =
        |cause: String| Error::new(format!("`{}` cannot be read", path.display())).cause(cause);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let system = OsSystem::open(folder.unwrap_or(Path::new(".")))
        .map_err(|error| failed(error.to_string()))?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| failed("it has no name that is text".to_owned()))?;
    let mut problems = Diagnostics::new();
    let Some(id) = Files::new(&system, sources).read(name, None, &mut problems) else {
        let why = problems.iter().map(|one| one.message.clone()).next();
        return Err(failed(why.unwrap_or_default()));
    };
    for document in yaml::parse(sources, id, found) {
        spec.add(&document, found);
    }
    Ok(())
}
