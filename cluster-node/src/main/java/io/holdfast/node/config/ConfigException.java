package io.holdfast.node.config;

import java.util.List;
import java.util.stream.Collectors;

/** A configuration that cannot be used, with every problem that was found. Nothing was started. */
public final class ConfigException extends Exception {
    private final List<Problem> problems;

    /** With at least one problem. */
    public ConfigException(String file, List<Problem> problems) {
        super(
                problems.stream()
                        .map(p -> file + ":" + p.line() + ": " + p.message())
                        .collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    /**
     * One problem.
     *
     * @param line 1-based
     * @param message the key, what stands there, and the expected form
     */
    public record Problem(int line, String message) {}

    /** All problems, by line. */
    public List<Problem> problems() {
        return problems;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
