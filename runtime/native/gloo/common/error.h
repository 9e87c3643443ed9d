// Nothing of gloo's header is used by c10d's ProcessGroupGloo.hpp.
#pragma once
