# A whole submission in R: reads the hub's own target data, forecasts, writes the file. Needs no package.
#
#   Rscript templates/submit.R 2024-11-30 yourteam-yourmodel        (in the hub's folder)
#
# Replace `forecast_one` by your model. What is here is a random walk on log scale.

args <- commandArgs(trailingOnly = TRUE)
round_id <- args[1]
model_id <- args[2]
origin <- as.Date(round_id)
levels <- c(0.01, 0.025, seq(0.05, 0.95, by = 0.05), 0.975, 0.99)

# The target data as they were known when the round closed, 31 days after the origin.
known <- read.csv("target-data/time-series.csv", colClasses = c(target_end_date = "Date", as_of = "Date"))
known <- known[known$as_of <= origin + 31 & known$target_end_date <= origin & grepl("\\.M$", known$series_id), ]
known <- known[order(known$series_id, known$target_end_date, known$as_of), ]
newest <- !duplicated(known[c("series_id", "target_end_date")], fromLast = TRUE)
known <- known[newest & !is.na(known$observation), ]

# Last day of the month `horizon` months after the origin.
month_end <- function(horizon) {
  seq(as.Date(format(origin, "%Y-%m-01")), by = "month", length.out = horizon + 2)[horizon + 2] - 1
}

# Months since the year 0.
month_of <- function(day) 12 * as.integer(format(day, "%Y")) + as.integer(format(day, "%m"))

# The last value, with the errors that this would have made so many months later.
forecast_one <- function(values, steps) {
  logs <- log1p(values)
  errors <- tail(logs[(steps + 1):length(logs)] - logs[1:(length(logs) - steps)], 120)
  pmax(expm1(tail(logs, 1) + quantile(c(errors, -errors), levels, names = FALSE)), 0)
}

rows <- list()
for (series in split(known, known$series_id)) {
  late <- month_of(origin) - month_of(max(series$target_end_date))
  if (late > 3 || nrow(series) < 36) next # too old, or too short a past: this series is left out
  for (horizon in 1:12) {
    rows[[length(rows) + 1]] <- data.frame(
      origin_date = round_id, target = series$target[1], series_id = series$series_id[1], horizon = horizon,
      target_end_date = month_end(horizon), output_type = "quantile", output_type_id = levels,
      value = forecast_one(series$observation, horizon + late)
    )
  }
}
if (length(rows) == 0) stop("no series has figures up to 3 months before ", round_id, ": is there such a round?")
folder <- file.path("model-output", model_id)
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
file <- file.path(folder, paste0(round_id, "-", model_id, ".csv"))
write.csv(do.call(rbind, rows), file, row.names = FALSE)
cat(file, "written\n")
