package io.holdfast.standard;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Collects what is wrong with a configuration, so that all of it is told at once. For one thread.
 *
 * <pre>{@code
 * Problems problems = new Problems("MBR", text);
 * Optional<Epoch> epoch = problems.attempt(() -> Epoch.parse(view.string("epoch")));
 * problems.throwIfAny();
 * }</pre>
 */
public final class Problems {
    private final String what;
    private final String text;
    private final List<FormatException> found = new ArrayList<>();

    /** Problems of {@code what}, read from {@code text}. */
    public Problems(String what, String text) {
        this.what = what;
        this.text = text;
    }

    /** What the reader gives, or empty and one more problem. */
    public <T> Optional<T> attempt(Supplier<T> reader) {
        try {
            return Optional.of(reader.get());
        } catch (FormatException problem) {
            found.add(problem);
            return Optional.empty();
        }
    }

    /** Adds one that was found otherwise. */
    public void add(FormatException problem) {
        found.add(problem);
    }

    /** All so far, in the order found. */
    public List<FormatException> found() {
        return List.copyOf(found);
    }

    /** Throws one exception that tells all problems, if there are any. */
    public void throwIfAny() {
        if (found.size() == 1) {
            throw found.getFirst();
        }
        if (!found.isEmpty()) {
            throw new FormatException(what, text, found);
        }
    }
}
