package io.holdfast.chaos.cluster;

import io.holdfast.node.cli.HoldfastCommand;
import java.io.PrintWriter;

/** The {@code holdfast} command in this process: the same code, without the start of a JVM. */
public final class InProcess implements Commands.Holdfast {
    @Override
    public int run(PrintWriter out, PrintWriter err, String... args) {
        return HoldfastCommand.run(out, err, args);
    }
}
