module landbridge.dev/oracle/common

go 1.24.0
