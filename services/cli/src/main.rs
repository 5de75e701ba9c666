//! The `copydesk` executable: reads settings, starts one command, turns its outcome into an exit code.

mod args;
mod commands;
mod config;
mod show;

use std::process::ExitCode;

use copydesk_allocator as _;

use clap::Parser;

use args::{Cli, Command, Common};
use commands::Outcome;
use config::Config;
use copydesk_store::StoreError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(3),
        Err(error) => {
            complain(&error);
            match error.downcast_ref() {
                Some(StoreError::ReplicaAway(_)) => ExitCode::from(4),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a failed command, in whatever state the logs are"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("copydesk: {}", show::safe(&format!("{error:#}")));
}

fn start(cli: Cli) -> anyhow::Result<Outcome> {
    // What is read off the command line's definition needs no settings, right or wrong; and a process for
    // messages that end processes gets none.
    match cli.command {
        Command::Completions(args) => return commands::pages::completions(&args),
        Command::Man(args) => return commands::pages::man(&args),
        Command::Isolated(args) => return commands::isolated::run(args),
        _ => {}
    }
    let config = settings(&cli.common)?;
    copydesk_telemetry::init(config.log.format.parse()?, &config.log.filter)?;
    // Commands without I/O of their own need no runtime.
    match cli.command {
        Command::Clean(args) => return commands::clean::run(&config, &args),
        Command::Config(command) => return commands::config::run(&config, &command),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(_) => commands::demo::run(&config).await,
            Command::Worker(args) => commands::worker::run(&config, &args).await,
            Command::Feed(args) => commands::feed::run(&config, args).await,
            Command::Summary(args) => commands::summary::run(&config, &args).await,
            Command::Search(args) => commands::search::run(&config, &args).await,
            Command::Export(args) => commands::export::run(&config, &args).await,
            Command::Migrate(args) => commands::migrate::run(&config, &args).await,
            Command::Doctor(args) => commands::doctor::run(&config, &args).await,
            Command::Audit(args) => commands::audit::run(&config, &args).await,
            Command::Quarantine(command) => commands::quarantine::run(&config, &command).await,
            Command::Story(command) => commands::story::run(&config, &command).await,
            Command::Site(command) => commands::site::run(&config, &command).await,
            Command::Rewind(args) => commands::rewind::run(&config, &args).await,
            Command::Takedown(args) => commands::takedown::run(&config, &args).await,
            Command::Janitor(args) => commands::janitor::run(&config, &args).await,
            Command::Console(args) => commands::console::run(&config, &args).await,
            Command::Clean(_)
            | Command::Config(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Isolated(_) => Ok(Outcome::Done),
        }
    });
    // A blocking call that hangs (a broker that never answers) must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

/// Defaults, then the file, then variables, then flags.
fn settings(common: &Common) -> anyhow::Result<Config> {
    let mut config = Config::load(common.config.as_deref(), std::env::vars())?;
    if let Some(brokers) = &common.brokers {
        config.kafka.brokers.clone_from(brokers);
    }
    if let Some(topic) = &common.topic {
        config.kafka.topic.clone_from(topic);
    }
    if let Some(filter) = &common.log {
        config.log.filter.clone_from(filter);
    }
    Ok(config)
}
