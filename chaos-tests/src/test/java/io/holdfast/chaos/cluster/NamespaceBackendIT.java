package io.holdfast.chaos.cluster;

import io.holdfast.chaos.fault.FaultUnavailable;
import java.io.IOException;
import java.nio.file.Path;

class NamespaceBackendIT extends ClusterBackendContract {
    @Override
    ClusterBackend create(Path work) throws IOException, FaultUnavailable {
        return NamespaceBackend.create(work);
    }
}
