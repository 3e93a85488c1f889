package io.holdfast.node.cli;

import io.holdfast.agent.AgentMain;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a media agent. */
@Command(
        name = "agent",
        description = "Run a client's media agent until it is told to stop (SIGTERM).",
        footer = {
            "",
            "Example: holdfast agent --config /srv/holdfast/agents/crit-local/agent.json"
        })
final class AgentCommand implements Callable<Integer> {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "The agent's agent.json.")
    private Path config = Path.of("");

    @Override
    public Integer call() {
        if (!Files.isRegularFile(config)) {
            throw new Problem(
                    ExitCode.USAGE,
                    "There is no configuration " + config + ".",
                    "Name the agent.json that client add wrote: DIR/agents/NAME-local/agent.json.");
        }
        return AgentMain.run(new String[] {"--config", config.toString()}, System.out, System.err);
    }
}
