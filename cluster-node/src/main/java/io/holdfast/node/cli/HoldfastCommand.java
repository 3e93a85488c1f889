package io.holdfast.node.cli;

import com.fasterxml.jackson.core.JacksonException;
import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ErrorView;
import io.holdfast.node.config.ConfigException;
import io.holdfast.node.rest.ApiJson;
import io.holdfast.standard.FormatException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The {@code holdfast} command. */
@Command(
        name = "holdfast",
        description = "A backup cluster that survives the loss of its site.",
        subcommands = {
            InitCommand.class,
            ServerCommand.class,
            AgentCommand.class,
            ClientCommand.class,
            ReplicationCommand.class,
            BackupCommand.class,
            JobsCommand.class,
            PiecesCommand.class,
            LsCommand.class,
            RestoreCommand.class,
            StatusCommand.class,
            FailoverCommand.class,
            SwitchoverCommand.class,
            AutoFailoverCommand.class,
            AckPolicyCommand.class,
            ReadmitCommand.class,
            LossLedgerCommand.class,
            ReconcileCommand.class,
            RehearseCommand.class,
            StorageCommand.class,
            RetentionCommand.class,
            PolicyCommand.class,
            ExpireCommand.class,
            HoldCommand.class,
            GcCommand.class,
            SiteCommand.class,
            IdentifierCommand.class
        },
        footer = {
            "",
            "Commands that ask a cluster take --context FILE and --json.",
            "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by mode, epoch or policy, 4 outcome"
                    + " unknown, or a backup that is not green yet.",
            "",
            "Example: holdfast status --context /srv/holdfast/operator/context.json"
        })
public final class HoldfastCommand implements Runnable {
    @Spec CommandSpec spec = CommandSpec.create();

    private final Supplier<Optional<Terminal>> terminal;

    private HoldfastCommand(Supplier<Optional<Terminal>> terminal) {
        this.terminal = terminal;
    }

    /** Where a person is asked, as told to the command that this one is part of. */
    static Optional<Terminal> terminal(CommandSpec command) {
        return command.root().userObject() instanceof HoldfastCommand holdfast
                ? holdfast.terminal.get()
                : Terminal.find();
    }

    /** Shows the help when no command was given. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "Which command?");
    }

    /** Runs the command and ends the JVM with its exit code. */
    public static void main(String[] args) {
        if (args.length > 0 && List.of("server", "agent").contains(args[0])) {
            // Before the first logger: these two log what they do, the others only trouble.
            setDefault("holdfast.log", "INFO");
        }
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(out, err, args));
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /**
     * Runs a command in this process.
     *
     * @param out the result goes here, and with {@code --json} nothing else
     * @param err messages and progress
     * @return one of {@link ExitCode}
     */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        return run(out, err, Terminal::find, args);
    }

    /** The same, where confirmations are asked for at another terminal. */
    static int run(
            PrintWriter out,
            PrintWriter err,
            Supplier<Optional<Terminal>> terminal,
            String... args) {
        CommandLine line = line(terminal);
        line.registerConverter(UUID.class, HoldfastCommand::uuid);
        line.setOut(out).setErr(err).setCaseInsensitiveEnumValuesAllowed(true);
        boolean json = Arrays.asList(args).contains("--json");
        line.setParameterExceptionHandler((e, given) -> usage(e, out, err, json));
        line.setExecutionExceptionHandler((e, command, parsed) -> failed(e, out, err, json));
        int code = line.execute(args);
        out.flush();
        err.flush();
        return code;
    }

    /** The whole tree of commands, with those that other jars contribute. */
    static CommandLine line() {
        return line(Terminal::find);
    }

    private static CommandLine line(Supplier<Optional<Terminal>> terminal) {
        CommandLine line = new CommandLine(new HoldfastCommand(terminal));
        for (CommandContribution contribution : ServiceLoader.load(CommandContribution.class)) {
            contribution.commands().forEach(line::addSubcommand);
        }
        prepare(line);
        return line;
    }

    private static UUID uuid(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            if (uuid.toString().equalsIgnoreCase(text)) {
                return uuid;
            }
        } catch (IllegalArgumentException e) {
            // Told below, in the same words.
        }
        throw new CommandLine.TypeConversionException(
                "'" + text + "' is not an id; expected a UUID as pieces and jobs show it");
    }

    /** Gives every command {@code --help} and the same looks. */
    private static void prepare(CommandLine line) {
        if (line.getCommandSpec().findOption("--help") == null) {
            line.getCommandSpec()
                    .addOption(
                            CommandLine.Model.OptionSpec.builder("-h", "--help")
                                    .usageHelp(true)
                                    .description("Show this help.")
                                    .build());
        }
        line.getCommandSpec().usageMessage().sortOptions(false).abbreviateSynopsis(true);
        line.setUsageHelpAutoWidth(true);
        line.setUsageHelpLongOptionsMaxWidth(30);
        line.getSubcommands().values().forEach(HoldfastCommand::prepare);
    }

    private static int usage(
            CommandLine.ParameterException e, PrintWriter out, PrintWriter err, boolean json) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        if (command.getSubcommands().isEmpty()) {
            tell(
                    new ErrorView(
                            "usage",
                            ApiException.Kind.USAGE,
                            name + ": " + e.getMessage(),
                            "See: " + name + " --help",
                            null,
                            null),
                    out,
                    err,
                    json);
        } else {
            err.println(name + ": " + e.getMessage());
            command.usage(err);
        }
        return ExitCode.USAGE;
    }

    private static int failed(Exception e, PrintWriter out, PrintWriter err, boolean json) {
        return switch (e) {
            case ApiException api -> {
                tell(api.view(), out, err, json);
                yield switch (api.kind()) {
                    case REFUSED, STALE_EPOCH -> ExitCode.REFUSED;
                    case UNKNOWN -> ExitCode.UNKNOWN;
                    case USAGE -> ExitCode.USAGE;
                    case NOT_FOUND, UNAVAILABLE, FAILED -> ExitCode.FAILED;
                };
            }
            case Problem problem -> {
                ApiException.Kind kind =
                        switch (problem.exitCode()) {
                            case ExitCode.USAGE -> ApiException.Kind.USAGE;
                            case ExitCode.REFUSED -> ApiException.Kind.REFUSED;
                            case ExitCode.UNKNOWN -> ApiException.Kind.UNKNOWN;
                            default -> ApiException.Kind.FAILED;
                        };
                tell(
                        new ErrorView(
                                kind.word(),
                                kind,
                                String.valueOf(problem.getMessage()),
                                problem.next(),
                                null,
                                null),
                        out,
                        err,
                        json);
                yield problem.exitCode();
            }
            case ConfigException config -> {
                tell(usageView(config.getMessage()), out, err, json);
                yield ExitCode.USAGE;
            }
            case FormatException format -> {
                tell(usageView(String.valueOf(format.getMessage())), out, err, json);
                yield ExitCode.USAGE;
            }
            case NoSuchFileException file -> {
                tell(failedView("There is no file " + file.getFile() + "."), out, err, json);
                yield ExitCode.FAILED;
            }
            case IOException io when !(io instanceof JacksonException) -> {
                tell(failedView(String.valueOf(io.getMessage())), out, err, json);
                yield ExitCode.FAILED;
            }
            default -> {
                tell(failedView("This is a bug in holdfast: " + e), out, err, json);
                LoggerFactory.getLogger(HoldfastCommand.class).error("unexpected", e);
                yield ExitCode.FAILED;
            }
        };
    }

    private static ErrorView usageView(String message) {
        return new ErrorView("usage", ApiException.Kind.USAGE, message, "", null, null);
    }

    private static ErrorView failedView(String message) {
        return new ErrorView("failed", ApiException.Kind.FAILED, message, "", null, null);
    }

    private static void tell(ErrorView view, PrintWriter out, PrintWriter err, boolean json) {
        if (json) {
            out.println(ApiJson.pretty(view));
        }
        err.println(view.message());
        if (!view.next().isEmpty()) {
            err.println(view.next());
        }
        if (view.epoch() != null || view.mode() != null) {
            err.println(
                    "(the node that answered is "
                            + (view.mode() == null ? "" : view.mode() + " ")
                            + (view.epoch() == null ? "" : "in epoch " + view.epoch())
                            + ")");
        }
    }
}
