package io.holdfast.node.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/**
 * One mapping of a YAML document, read key by key. Whatever is wrong is added to a list with its
 * line, and reading goes on with nothing in its place, so that all problems are found in one pass.
 */
final class YamlSection {
    private final String path;
    private final int line;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Map<String, Integer> lines = new LinkedHashMap<>();
    private final Set<String> asked = new TreeSet<>();
    private final List<ConfigException.Problem> problems;

    /**
     * Reads a mapping.
     *
     * @param path dotted prefix with its dot, or empty
     * @param line where a missing key is reported
     * @param mapping null for an absent one
     */
    YamlSection(
            String path,
            int line,
            @Nullable MappingNode mapping,
            List<ConfigException.Problem> problems) {
        this.path = path;
        this.line = line;
        this.problems = problems;
        if (mapping == null) {
            return;
        }
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                problem(lineOf(tuple.getKeyNode()), "a key must be a word");
                continue;
            }
            String name = key.getValue();
            if (values.putIfAbsent(name, tuple.getValueNode()) != null) {
                problem(
                        lineOf(key),
                        path + name + ": stands here twice; first in line " + lines.get(name));
            } else {
                lines.put(name, lineOf(key));
            }
        }
    }

    static int lineOf(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    private void problem(int where, String message) {
        problems.add(new ConfigException.Problem(where, message));
    }

    /** Reports something about a key that was read. */
    void problem(String key, String message) {
        problem(lineOf(key), path + key + ": " + message);
    }

    /** The line of a key, or of the section when it is absent. */
    int lineOf(String key) {
        return lines.getOrDefault(key, line);
    }

    boolean has(String key) {
        asked.add(key);
        return values.containsKey(key);
    }

    /** The text of a key, or empty: absent (reported when required) or not a text (reported). */
    Optional<String> text(String key, boolean required, String expected) {
        asked.add(key);
        Node node = values.get(key);
        if (node == null) {
            if (required) {
                problem(key, "is missing; expected " + expected);
            }
            return Optional.empty();
        }
        if (!(node instanceof ScalarNode scalar)) {
            problem(key, "is a " + kind(node) + "; expected " + expected);
            return Optional.empty();
        }
        if (scalar.getValue().isBlank()) {
            problem(key, "is empty; expected " + expected);
            return Optional.empty();
        }
        return Optional.of(scalar.getValue());
    }

    /** A text that a function understands; what it refuses is reported with the expected form. */
    <T> Optional<T> value(
            String key, boolean required, String expected, Function<String, Optional<T>> reader) {
        Optional<String> text = text(key, required, expected);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        Optional<T> value = reader.apply(text.get());
        if (value.isEmpty()) {
            problem(key, "'" + text.get() + "' is not valid; expected " + expected);
        }
        return value;
    }

    /** A whole number in a range, or a default when the key is absent. */
    int number(String key, int min, int max, int otherwise) {
        return value(
                        key,
                        false,
                        "a whole number from " + min + " to " + max,
                        text -> {
                            try {
                                int number = Integer.parseInt(text);
                                return number < min || number > max
                                        ? Optional.empty()
                                        : Optional.of(number);
                            } catch (NumberFormatException e) {
                                return Optional.empty();
                            }
                        })
                .orElse(otherwise);
    }

    /** A list of texts; what is wrong in it is reported at its own line. */
    List<String> list(
            String key, boolean required, String expected, Function<String, Boolean> good) {
        asked.add(key);
        Node node = values.get(key);
        List<String> list = new ArrayList<>();
        if (node == null) {
            if (required) {
                problem(key, "is missing; expected " + expected);
            }
            return list;
        }
        if (!(node instanceof SequenceNode sequence)) {
            problem(key, "is a " + kind(node) + "; expected " + expected);
            return list;
        }
        if (required && sequence.getValue().isEmpty()) {
            problem(key, "is empty; expected " + expected);
        }
        int index = 0;
        for (Node item : sequence.getValue()) {
            String name = path + key + "[" + index++ + "]";
            if (!(item instanceof ScalarNode scalar)) {
                problem(lineOf(item), name + ": is a " + kind(item) + "; expected " + expected);
            } else if (!good.apply(scalar.getValue())) {
                problem(
                        lineOf(item),
                        name + ": '" + scalar.getValue() + "' is not valid; expected " + expected);
            } else if (list.contains(scalar.getValue())) {
                problem(lineOf(item), name + ": '" + scalar.getValue() + "' stands here twice");
            } else {
                list.add(scalar.getValue());
            }
        }
        return list;
    }

    /** A section below this one; an empty one when it is absent (reported when required). */
    YamlSection section(String key, boolean required) {
        asked.add(key);
        Node node = values.get(key);
        if (node instanceof MappingNode mapping) {
            return new YamlSection(path + key + ".", lineOf(key), mapping, problems);
        }
        if (node != null) {
            problem(key, "is a " + kind(node) + "; expected keys and values below it");
        } else if (required) {
            problem(key, "is missing; expected keys and values below it");
        }
        return new YamlSection(path + key + ".", lineOf(key), null, problems);
    }

    /** Reports the keys that nobody asked for. Call it last. */
    void end() {
        for (String key : values.keySet()) {
            if (!asked.contains(key)) {
                problem(key, "is not a key here; expected one of " + String.join(", ", asked));
            }
        }
    }

    private static String kind(Node node) {
        return switch (node) {
            case MappingNode m -> "section";
            case SequenceNode s -> "list";
            default -> "single value";
        };
    }
}
