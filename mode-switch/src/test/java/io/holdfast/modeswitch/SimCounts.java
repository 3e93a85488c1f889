package io.holdfast.modeswitch;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;

/** What runs did, so that green is not vacuous. */
final class SimCounts {
    long seeds;
    long events;
    long promotions;
    long autoFailovers;
    long operatorTakeovers;
    long fencedForces;
    long switchovers;
    long confirmations;
    long fencings;
    long selfFences;
    long reconciled;
    long divergentEntries;
    long crashes;
    long wipes;
    long burntSites;
    long readmissions;
    long elections;
    long protectedAcks;
    long unprotectedAcks;
    long commandsObeyed;
    long commandsRefused;
    long forcedBesideActive;
    long restsByCommand;

    void add(SimCounts other) {
        for (Field field : fields()) {
            try {
                field.setLong(this, field.getLong(this) + field.getLong(other));
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        for (Field field : SimCounts.class.getDeclaredFields()) {
            if (field.getType() == long.class) {
                fields.add(field);
            }
        }
        return fields;
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        for (Field field : fields()) {
            try {
                String name = field.getName().replaceAll("([A-Z])", " $1").toLowerCase();
                out.append(out.isEmpty() ? "" : ", ")
                        .append(field.getLong(this))
                        .append(' ')
                        .append(name);
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
        return out.toString();
    }
}
