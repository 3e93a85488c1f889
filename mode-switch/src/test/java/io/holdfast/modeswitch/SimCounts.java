package io.holdfast.modeswitch;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What runs did, so that green is not vacuous. */
final class SimCounts {
    long seeds;
    long events;
    long promotions;
    long autoFailovers;
    long forcedFailovers;
    long operatorTakeovers;
    long fencedForces;
    long switchovers;
    long confirmations;
    long fencings;
    long selfFences;
    long reconciled;
    long divergentEntries;
    long partitions;
    long isolations;
    long stops;
    long agentCrashes;
    long crashes;
    long lostWrites;
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
    long refusedCommands;
    long missedLogs;

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

    /** Each count by its name, for {@code --json}. */
    Map<String, Long> byName() {
        Map<String, Long> out = new LinkedHashMap<>();
        for (Field field : fields()) {
            try {
                out.put(field.getName(), field.getLong(this));
            } catch (IllegalAccessException e) {
                throw new AssertionError(e);
            }
        }
        return out;
    }

    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        byName().forEach((name, count) -> {
            String words = name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
            out.append(out.isEmpty() ? "" : ", ").append(count).append(' ').append(words);
        });
        return out.toString();
    }
}
