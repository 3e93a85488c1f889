package io.holdfast.chaos.drill;

import io.holdfast.node.cli.CommandContribution;
import java.util.List;

/** Brings {@code drill} to the {@code holdfast} command. */
public final class DrillContribution implements CommandContribution {
    /** For {@link java.util.ServiceLoader}. */
    public DrillContribution() {}

    @Override
    public List<Object> commands() {
        return List.of(new DrillCommand());
    }
}
