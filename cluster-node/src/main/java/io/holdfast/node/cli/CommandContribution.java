package io.holdfast.node.cli;

import java.util.List;

/**
 * Subcommands that another module brings to {@code holdfast}. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface CommandContribution {
    /**
     * New picocli command objects ({@code @Command}, implementing {@code Callable<Integer>}, whose
     * result is an exit code as in {@link ExitCode}). A field {@code @Spec CommandSpec} gives access
     * to the writers: {@code spec.commandLine().getOut()}.
     */
    List<Object> commands();
}
