package io.holdfast.chaos.fault;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this machine lets us do. */
final class Machine {
    private Machine() {}

    static void requireRoot(String what) throws FaultUnavailable {
        try {
            if ((int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") != 0) {
                throw new FaultUnavailable(what + " needs root");
            }
        } catch (IOException e) {
            throw new FaultUnavailable(what + " needs Linux with /proc: " + e.getMessage());
        }
    }

    static void requireTool(String name, String debianPackage) throws FaultUnavailable {
        for (String folder : new String[] {"/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
            if (Files.isExecutable(Path.of(folder, name))) {
                return;
            }
        }
        throw new FaultUnavailable(name + " is not installed: apt-get install " + debianPackage);
    }
}
