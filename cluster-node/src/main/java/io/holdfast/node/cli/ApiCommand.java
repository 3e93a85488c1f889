package io.holdfast.node.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that asks a cluster. */
abstract class ApiCommand implements Callable<Integer> {
    @Mixin CommonOptions options = new CommonOptions();

    @Spec CommandSpec spec = CommandSpec.create();

    @Override
    public final Integer call() throws Exception {
        try (ClusterClient cluster = ClusterClient.open(options.context())) {
            return run(cluster, output());
        }
    }

    /** Does it; answers an exit code. */
    abstract int run(ClusterClient cluster, Output output) throws Exception;

    Output output() {
        return new Output(spec.commandLine().getOut(), spec.commandLine().getErr(), options.json());
    }
}
