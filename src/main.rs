//! The program `deadletter`: the command line with the models that come with it.

fn main() -> std::process::ExitCode {
    deadletter::cli::main(deadletter::model::BUILT_IN)
}
