SELECT EXISTS (SELECT FROM live_activities WHERE live_activities.uuid = :uuid)
